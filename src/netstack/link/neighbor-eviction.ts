import type { Neighbor } from "./neighbor.ts";
import { NeighborList } from "./neighbor-list.ts";

/** How many neighbours in use get a second chance before one of them goes. */
const SECOND_CHANCES = 8;

/**
 * Which neighbour of a family goes when a new one needs room. Three lists:
 * - `unresolved`: incomplete and failed, in the order in which they were asked for. A scan of a whole
 *   prefix through us makes these (RFC 6583 §4), and once they are a quarter of all, it evicts but its own.
 * - `idle`: stale, in the order in which they were last heard or used. A neighbour that makes up
 *   addresses fills this one.
 * - `busy`: reachable, delay, probe. One goes only when there is nothing else, and only for a packet of
 *   ours; those to which nothing was sent lately go first.
 * Permanent ones are in none.
 */
export class NeighborEviction {
  readonly #unresolved = new NeighborList();
  readonly #idle = new NeighborList();
  readonly #busy = new NeighborList();
  readonly #limit: number;
  #permanent = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#unresolved.size + this.#idle.size + this.#busy.size + this.#permanent;
  }

  get full(): boolean {
    return this.size >= this.#limit;
  }

  /** Static entries may fill all but a quarter: some room is left for those that have to be found. */
  get fullOfPermanent(): boolean {
    return this.#permanent >= this.#limit - (this.#limit >>> 2);
  }

  /** To be called for a new one, and after each change of state: it becomes the newest of its kind. */
  place(neighbor: Neighbor): void {
    this.remove(neighbor);
    const list = this.#listFor(neighbor);
    if (list === null) this.#permanent++;
    else list.push(neighbor);
  }

  /** To be called before it stops being what it is counted as. */
  remove(neighbor: Neighbor): void {
    if (neighbor.list !== null) neighbor.list.remove(neighbor);
  }

  /** A static one was removed, or is one no more. */
  releasePermanent(): void {
    this.#permanent--;
  }

  /** Who goes for one that we want to send to. */
  forOutput(): Neighbor | null {
    if (this.#unresolved.size > this.#limit >>> 2) return this.#unresolved.oldest;
    return this.#idle.oldest ?? this.#unresolved.oldest ?? this.#leastUsed();
  }

  /** Who goes for one that made itself known; null: nobody, the new one is not taken. */
  forInput(): Neighbor | null {
    if (this.#idle.size > this.#limit >>> 2) return this.#idle.oldest;
    return this.#unresolved.oldest ?? this.#idle.oldest;
  }

  #leastUsed(): Neighbor | null {
    for (let i = 0; i < SECOND_CHANCES; i++) {
      const oldest = this.#busy.oldest;
      if (oldest === null || !oldest.used) return oldest;
      oldest.used = false;
      this.place(oldest);
    }
    return this.#busy.oldest;
  }

  #listFor(neighbor: Neighbor): NeighborList | null {
    switch (neighbor.state) {
      case "incomplete":
      case "failed":
        return this.#unresolved;
      case "stale":
        return this.#idle;
      case "permanent":
        return null;
      default:
        return this.#busy;
    }
  }
}
