import type { H2Stream } from "./stream.ts";

const BUCKETS = 64;

/**
 * The streams of a session that are not closed, by identifier: chains of few, as identifiers count
 * up.
 */
export class StreamTable {
  count: number;
  readonly #buckets: (H2Stream | null)[];

  constructor() {
    this.count = 0;
    this.#buckets = Array<H2Stream | null>(BUCKETS).fill(null);
  }

  get(id: number): H2Stream | null {
    let stream: H2Stream | null = this.#buckets[(id >> 1) & (BUCKETS - 1)] ?? null;
    while (stream !== null && stream.id !== id) stream = stream.chained;
    return stream;
  }

  /** A stream that is not in it. */
  add(stream: H2Stream): void {
    const bucket = (stream.id >> 1) & (BUCKETS - 1);
    stream.chained = this.#buckets[bucket] ?? null;
    this.#buckets[bucket] = stream;
    this.count++;
  }

  delete(stream: H2Stream): void {
    const bucket = (stream.id >> 1) & (BUCKETS - 1);
    let before: H2Stream | null = null;
    let at: H2Stream | null = this.#buckets[bucket] ?? null;
    while (at !== null && at !== stream) {
      before = at;
      at = at.chained;
    }
    if (at === null) return;
    if (before === null) this.#buckets[bucket] = stream.chained;
    else before.chained = stream.chained;
    stream.chained = null;
    this.count--;
  }

  /** All streams, for what is rare: a copy, so that what is done to one may close another. */
  all(): H2Stream[] {
    const all: H2Stream[] = [];
    for (const first of this.#buckets) {
      for (let stream = first; stream !== null; stream = stream.chained) all.push(stream);
    }
    return all;
  }
}
