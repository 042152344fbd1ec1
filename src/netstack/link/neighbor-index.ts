import { hashWords, type Ip } from "../ip-address.ts";
import type { Neighbor } from "./neighbor.ts";

/** Neighbours by address: chained buckets, under a secret seed so that nobody can aim at one. */
export class NeighborIndex {
  readonly #seed: number;
  #buckets: (Neighbor | null)[] = new Array<Neighbor | null>(16).fill(null);
  size = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  find(ip: Ip): Neighbor | null {
    const { w0, w1, w2, w3 } = ip;
    const buckets = this.#buckets;
    let at = buckets[hashWords(this.#seed, w0, w1, w2, w3) & (buckets.length - 1)]!;
    while (at !== null) {
      const other = at.ip;
      if (other.w3 === w3 && other.w2 === w2 && other.w1 === w1 && other.w0 === w0) return at;
      at = at.chained!;
    }
    return null;
  }

  /** One whose address is not there yet. */
  add(neighbor: Neighbor): void {
    if (this.size === this.#buckets.length) this.#grow();
    this.#link(neighbor);
    this.size++;
  }

  remove(neighbor: Neighbor): void {
    const bucket = this.#bucketOf(neighbor.ip);
    let at = this.#buckets[bucket]!;
    if (at === neighbor) this.#buckets[bucket] = neighbor.chained;
    else {
      while (at.chained !== neighbor) at = at.chained!;
      at.chained = neighbor.chained;
    }
    neighbor.chained = null;
    this.size--;
  }

  /** All, in no order; a copy, so that the caller may change the index meanwhile. */
  all(): Neighbor[] {
    const found: Neighbor[] = [];
    for (const head of this.#buckets) {
      for (let at = head; at !== null; at = at.chained) found.push(at);
    }
    return found;
  }

  #link(neighbor: Neighbor): void {
    const bucket = this.#bucketOf(neighbor.ip);
    neighbor.chained = this.#buckets[bucket]!;
    this.#buckets[bucket] = neighbor;
  }

  #grow(): void {
    const all = this.all();
    this.#buckets = new Array<Neighbor | null>(this.#buckets.length * 2).fill(null);
    for (const neighbor of all) this.#link(neighbor);
  }

  #bucketOf(ip: Ip): number {
    return hashWords(this.#seed, ip.w0, ip.w1, ip.w2, ip.w3) & (this.#buckets.length - 1);
  }
}
