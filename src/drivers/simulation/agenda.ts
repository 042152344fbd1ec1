/** Something that happens at an instant. It carries its place in the agenda, so adding it allocates nothing. */
export abstract class Happening {
  /** Microseconds, with fractions: a frame on a fast link takes less than one. */
  at = 0;
  /** Of two at the same instant, the one that was added first comes first. */
  order = 0;
  /** Where it stands in the heap, or -1. */
  slot = -1;

  abstract happen(): void;
}

/** What is going to happen, as a binary heap by instant. */
export class Agenda {
  readonly #heap: Happening[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** When the next thing happens; infinity when there is none. */
  get next(): number {
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : this.#heap[0]!.at;
  }

  /** Adds it, or moves it when it is in already. */
  set(happening: Happening, at: number): void {
    happening.at = at;
    happening.order = this.#order++;
    if (happening.slot < 0) {
      happening.slot = this.#heap.length;
      this.#heap.push(happening);
      this.#rise(happening);
      return;
    }
    this.#rise(happening);
    this.#sink(happening);
  }

  remove(happening: Happening): void {
    const { slot } = happening;
    if (slot < 0) return;
    happening.slot = -1;
    const last = this.#heap.pop()!;
    if (last === happening) return;
    this.#put(last, slot);
    this.#rise(last);
    this.#sink(last);
  }

  /** Takes the next one out; there must be one. */
  take(): Happening {
    const first = this.#heap[0]!;
    this.remove(first);
    return first;
  }

  #rise(happening: Happening): void {
    let hole = happening.slot;
    while (hole > 0) {
      const parent = (hole - 1) >>> 1;
      if (isBefore(this.#heap[parent]!, happening)) break;
      this.#put(this.#heap[parent]!, hole);
      hole = parent;
    }
    this.#put(happening, hole);
  }

  #sink(happening: Happening): void {
    const heap = this.#heap;
    let hole = happening.slot;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(happening, heap[child]!)) break;
      this.#put(heap[child]!, hole);
      hole = child;
    }
    this.#put(happening, hole);
  }

  #put(happening: Happening, slot: number): void {
    this.#heap[slot] = happening;
    happening.slot = slot;
  }
}

const isBefore = (a: Happening, b: Happening): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order);
