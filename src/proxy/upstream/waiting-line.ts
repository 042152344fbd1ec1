/** A request that waits for a connection. */
export interface Waiter {
  /** Capacity came free: pick again. Called once, out of the line already. */
  onCapacity(): void;
}

/** Waiters, first come, first served, in a bounded number. */
export class WaitingLine {
  /** From `#first` on; null where one has left. */
  readonly #waiters: (Waiter | null)[] = [];
  readonly #max: number;
  #first = 0;
  #size = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** False when the line is full. */
  join(waiter: Waiter): boolean {
    if (this.#size >= this.#max) return false;
    this.#waiters.push(waiter);
    this.#size++;
    return true;
  }

  /** Takes a waiter out, wherever it stands; one that is not in the line is left alone. */
  leave(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter, this.#first);
    if (at < 0) return;
    this.#waiters[at] = null;
    this.#size--;
    this.#tidy();
  }

  /** The waiter that came first, or null. */
  next(): Waiter | null {
    while (this.#first < this.#waiters.length) {
      const waiter = this.#waiters[this.#first]!;
      this.#waiters[this.#first++] = null;
      if (waiter === null) continue;
      this.#size--;
      this.#tidy();
      return waiter;
    }
    return null;
  }

  /** Closes the gaps once they are more than the waiters, so that the slots stay bounded, too. */
  #tidy(): void {
    const waiters = this.#waiters;
    if (waiters.length <= 2 * this.#size) return;
    let kept = 0;
    for (let i = this.#first; i < waiters.length; i++) {
      const waiter = waiters[i]!;
      if (waiter !== null) waiters[kept++] = waiter;
    }
    waiters.length = kept;
    this.#first = 0;
  }
}
