import { type Seq, seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt } from "../../wire/seq.ts";
import { ByteQueue } from "./byte-queue.ts";

/** Bytes [start, end) that arrived ahead of a gap. */
export class ReceivedRange {
  start: Seq;
  end: Seq;
  readonly bytes = new ByteQueue();
  next: ReceivedRange | null = null;
  /** Larger: changed later. Orders SACK blocks (RFC 2018 §4). */
  stamp = 0;

  constructor(start: Seq) {
    this.start = start;
    this.end = start;
  }
}

/**
 * Gaps that one connection keeps track of. A segment that would open one more is dropped: the peer has
 * not been told of it and sends it again. So little memory follows from tiny segments.
 */
const MAX_RANGES = 256;

/**
 * What arrived out of order, as disjoint ranges that do not touch, lowest first. The receive window
 * bounds its bytes: only what is in the window may be inserted. Bytes that are there stay; of a segment that overlaps
 * them only the rest is taken.
 */
export class Assembler {
  #first: ReceivedRange | null = null;
  #count = 0;
  #stamp = 0;
  /** Where the last segment went. */
  #recent: ReceivedRange | null = null;

  get first(): ReceivedRange | null {
    return this.#first;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether [start, end) lies in one range already. */
  covers(start: Seq, end: Seq): boolean {
    for (let range = this.#first; range !== null; range = range.next) {
      if (seqLe(range.start, start) && seqGe(range.end, end)) return true;
    }
    return false;
  }

  /** The range that holds the byte `at`, or null. */
  rangeAt(at: Seq): ReceivedRange | null {
    for (let range = this.#first; range !== null; range = range.next) {
      if (seqLe(range.start, at) && seqGt(range.end, at)) return range;
    }
    return null;
  }

  /** Takes bytes[from, from + length), the first of which has number `start`. */
  insert(start: Seq, bytes: Uint8Array, from: number, length: number): void {
    const end = seqAdd(start, length);
    const range = this.#recentAt(start) ?? this.#rangeFor(start, end);
    if (range === null) return;
    range.stamp = ++this.#stamp;
    this.#recent = range;
    while (seqLt(range.end, end)) {
      const next = range.next;
      const stop = next !== null && seqLe(next.start, end) ? next.start : end;
      const at = from + seqDiff(range.end, start);
      range.bytes.append(bytes, at, at + seqDiff(stop, range.end));
      range.end = stop;
      if (next !== null && stop === next.start) this.#merge(range, next);
    }
    const next = range.next;
    if (next !== null && range.end === next.start) this.#merge(range, next);
  }

  /** Removes the first range, which begins at or below `at`, and returns it; null when there is a gap. */
  takeUpTo(at: Seq): ReceivedRange | null {
    const range = this.#first;
    if (range === null || seqGt(range.start, at)) return null;
    this.#first = range.next;
    this.#count--;
    if (this.#recent === range) this.#recent = null;
    const known = Math.min(seqDiff(at, range.start), range.bytes.length);
    if (known > 0) range.bytes.drop(known);
    return range;
  }

  /** In a burst each segment continues the one before. */
  #recentAt(start: Seq): ReceivedRange | null {
    const recent = this.#recent;
    return recent !== null && seqLe(recent.start, start) && seqGe(recent.end, start)
      ? recent
      : null;
  }

  /** The range that holds or touches `start` from below, or a new empty one there; null: too many. */
  #rangeFor(start: Seq, end: Seq): ReceivedRange | null {
    let previous: ReceivedRange | null = null;
    let next = this.#first;
    while (next !== null && seqLt(next.end, start)) {
      previous = next;
      next = next.next;
    }
    if (next !== null && seqLe(next.start, start)) return next;
    const joins = next !== null && seqGe(end, next.start);
    if (this.#count >= MAX_RANGES && !joins) return null;
    const range = new ReceivedRange(start);
    range.next = next;
    if (previous === null) this.#first = range;
    else previous.next = range;
    this.#count++;
    return range;
  }

  #merge(range: ReceivedRange, next: ReceivedRange): void {
    range.bytes.takeAll(next.bytes);
    range.end = next.end;
    range.next = next.next;
    this.#count--;
  }
}
