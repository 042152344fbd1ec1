const KEPT = 64;
const NONE = new Int32Array(0);

/**
 * The streams that this side reset last. What the peer had sent on them before it knew is dropped
 * without a word (RFC 9113 §5.4.2); beyond the last 64, it is answered once more.
 */
export class RecentResets {
  #ids: Int32Array;
  #next: number;

  constructor() {
    this.#ids = NONE;
    this.#next = 0;
  }

  add(id: number): void {
    if (this.#ids === NONE) this.#ids = new Int32Array(KEPT);
    this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % KEPT;
  }

  has(id: number): boolean {
    return this.#ids.includes(id);
  }
}
