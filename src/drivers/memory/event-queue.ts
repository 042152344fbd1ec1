import type { Instant } from "../../core/time.ts";

interface Event {
  readonly at: Instant;
  /** Of two events at the same instant, the one that was added first comes first. */
  readonly order: number;
  readonly run: () => void;
}

/** What is going to happen, as a binary heap by instant. */
export class EventQueue {
  readonly #heap: Event[] = [];
  #order = 0;

  /** The instant of the next event, or undefined. */
  get next(): Instant | undefined {
    return this.#heap[0]?.at;
  }

  add(at: Instant, run: () => void): void {
    const heap = this.#heap;
    const event = { at, order: this.#order++, run };
    let hole = heap.length;
    while (hole > 0) {
      const parent = (hole - 1) >>> 1;
      if (isBefore(heap[parent]!, event)) break;
      heap[hole] = heap[parent]!;
      hole = parent;
    }
    heap[hole] = event;
  }

  /** Takes the next event out and returns what it does. The queue must not be empty. */
  take(): () => void {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    return first.run;
  }

  /** Puts `event` where the root was, and lets it sink. */
  #sink(event: Event): void {
    const heap = this.#heap;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(event, heap[child]!)) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = event;
  }
}

const isBefore = (a: Event, b: Event): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order);
