import { hashWords, type Ip } from "../ip-address.ts";

import type { Prefix } from "../prefix.ts";
import type { Route } from "./route.ts";

/** Routes of one table to one prefix, the preferred one first. */
class Slot {
  readonly version: 4 | 6;
  readonly length: number;
  readonly network: Ip;
  readonly routes: Route[] = [];
  next: Slot | null = null;

  constructor(network: Ip, length: number) {
    this.version = network.version;
    this.length = length;
    this.network = network;
  }
}

/**
 * The routes of one table by longest prefix: a hash table of prefixes, asked once for each prefix
 * length that is in use, the longest first (Waldvogel et al. 1997 without the binary search: hosts
 * have a handful of lengths). Its size doubles with its content, which `limits.routes` bounds.
 */
export class PrefixIndex {
  readonly #seed: number;
  #buckets: (Slot | null)[] = new Array<Slot | null>(16).fill(null);
  #slots = 0;
  /** Lengths in use, the longest first, and how many slots have each. */
  readonly #lengths4: number[] = [];
  readonly #lengths6: number[] = [];
  readonly #uses = new Int32Array(2 * 129);

  constructor(seed: number) {
    this.#seed = seed;
  }

  get isEmpty(): boolean {
    return this.#slots === 0;
  }

  add(route: Route): void {
    const { ip, length } = route.destination;
    let slot = this.#find(ip.version, length, ip.w0, ip.w1, ip.w2, ip.w3);
    if (slot === null) {
      slot = new Slot(ip, length);
      if (this.#slots >= this.#buckets.length) this.#grow();
      this.#link(slot);
      this.#slots++;
      this.#use(ip.version, length, 1);
    }
    const { routes } = slot;
    let at = 0;
    while (at < routes.length && routes[at]!.metric <= route.metric) at++;
    routes.splice(at, 0, route);
  }

  remove(route: Route): boolean {
    const { ip, length } = route.destination;
    const slot = this.#find(ip.version, length, ip.w0, ip.w1, ip.w2, ip.w3);
    const at = slot === null ? -1 : slot.routes.indexOf(route);
    if (slot === null || at < 0) return false;
    slot.routes.splice(at, 1);
    if (slot.routes.length > 0) return true;
    this.#unlink(slot);
    this.#slots--;
    this.#use(ip.version, length, -1);
    return true;
  }

  /** The routes to exactly that prefix. */
  exact(destination: Prefix): readonly Route[] | null {
    const { ip, length } = destination;
    const slot = this.#find(ip.version, length, ip.w0, ip.w1, ip.w2, ip.w3);
    return slot === null ? null : slot.routes;
  }

  /**
   * The routes of each matching prefix in turn: those of the longest one that is shorter than
   * `shorterThan`, or null. Begin with 129.
   */
  matchWords(
    version: 4 | 6,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    shorterThan: number,
  ): readonly Route[] | null {
    const lengths = version === 4 ? this.#lengths4 : this.#lengths6;
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i]!;
      if (length >= shorterThan) continue;
      const slot =
        version === 4
          ? this.#find(4, length, w0, w1, w2, w3 & MASKS[length]!)
          : this.#find(
              6,
              length,
              w0 & mask(length, 0),
              w1 & mask(length, 32),
              w2 & mask(length, 64),
              w3 & mask(length, 96),
            );
      if (slot !== null) return slot.routes;
    }
    return null;
  }

  #find(
    version: number,
    length: number,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
  ): Slot | null {
    let slot: Slot | null = this.#buckets[this.#bucket(version, length, w0, w1, w2, w3)] ?? null;
    for (; slot !== null; slot = slot.next) {
      const { network } = slot;
      if (
        slot.length === length &&
        network.w3 === w3 &&
        network.w2 === w2 &&
        network.w1 === w1 &&
        network.w0 === w0 &&
        slot.version === version
      ) {
        return slot;
      }
    }
    return null;
  }

  #bucket(version: number, length: number, w0: number, w1: number, w2: number, w3: number): number {
    const seed = this.#seed + Math.imul((length << 1) | (version >>> 2), 0x9e37_79b1);
    return hashWords(seed | 0, w0, w1, w2, w3) & (this.#buckets.length - 1);
  }

  #bucketOf({ network, length }: Slot): number {
    const { version, w0, w1, w2, w3 } = network;
    return this.#bucket(version, length, w0, w1, w2, w3);
  }

  #link(slot: Slot): void {
    const at = this.#bucketOf(slot);
    slot.next = this.#buckets[at]!;
    this.#buckets[at] = slot;
  }

  #unlink(slot: Slot): void {
    const at = this.#bucketOf(slot);
    let here: Slot | null = this.#buckets[at] ?? null;
    if (here === slot) {
      this.#buckets[at] = slot.next;
      return;
    }
    while (here !== null && here.next !== slot) here = here.next;
    if (here !== null) here.next = slot.next;
  }

  #grow(): void {
    const old = this.#buckets;
    this.#buckets = new Array<Slot | null>(old.length * 2).fill(null);
    for (const head of old) {
      let slot: Slot | null = head;
      while (slot !== null) {
        const { next } = slot;
        this.#link(slot);
        slot = next;
      }
    }
  }

  #use(version: number, length: number, by: number): void {
    const at = (version === 4 ? 0 : 129) + length;
    this.#uses[at]! += by;
    const lengths = version === 4 ? this.#lengths4 : this.#lengths6;
    if (by > 0 && this.#uses[at] === 1) {
      lengths.push(length);
      lengths.sort((a, b) => b - a);
    } else if (this.#uses[at] === 0) lengths.splice(lengths.indexOf(length), 1);
  }
}

/** By prefix length, 0 to 32. */
const MASKS = Int32Array.from({ length: 33 }, (_, bits) => (bits === 0 ? 0 : -1 << (32 - bits)));

/** The part of a mask of `length` bits that covers the word after `before` bits. */
function mask(length: number, before: number): number {
  const bits = length - before;
  return bits <= 0 ? 0 : bits >= 32 ? -1 : MASKS[bits]!;
}
