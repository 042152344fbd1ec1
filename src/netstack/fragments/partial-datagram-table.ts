import type { Instant } from "../../core/time.ts";
import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import { hashWords } from "../ip-address.ts";
import type { StackLimits } from "../limits.ts";
import { DATAGRAM_COST, PartialDatagram } from "./partial-datagram.ts";

/**
 * Incomplete datagrams by addresses, identification and, for IPv4, protocol; in the order in which
 * their first fragments came, which is that of their deadlines. The hash is seeded, so that nobody
 * can aim at one chain.
 */
export class PartialDatagramTable {
  readonly #limits: StackLimits;
  readonly #seed: number;
  readonly #buckets = new Map<number, PartialDatagram>();
  #size = 0;
  #bytes = 0;
  #newest: PartialDatagram | null = null;
  oldest: PartialDatagram | null = null;

  constructor(context: StackContext) {
    this.#limits = context.limits;
    this.#seed = context.rng.u32() | 0;
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(inbound: Inbound, protocol: number, identification: number): PartialDatagram | null {
    const scope = scopeOf(inbound);
    const hash = this.#hash(inbound, protocol, identification);
    let one = this.#buckets.get(hash) ?? null;
    while (one !== null && !one.matches(inbound, protocol, identification, scope)) one = one.chain;
    return one;
  }

  /** One that is not there yet; the oldest goes where there are too many. */
  add(
    inbound: Inbound,
    protocol: number,
    identification: number,
    expiresAt: Instant,
  ): PartialDatagram {
    while (this.#size > 0 && this.#size >= this.#limits.fragmentedDatagrams) this.#evict();
    while (this.#size > 0 && this.#bytes + DATAGRAM_COST > this.#limits.fragmentBytes)
      this.#evict();
    const hash = this.#hash(inbound, protocol, identification);
    const scope = scopeOf(inbound);
    const datagram = new PartialDatagram(hash, inbound, protocol, identification, scope, expiresAt);
    datagram.chain = this.#buckets.get(hash) ?? null;
    this.#buckets.set(hash, datagram);
    datagram.older = this.#newest;
    if (this.#newest === null) this.oldest = datagram;
    else this.#newest.newer = datagram;
    this.#newest = datagram;
    this.#size++;
    this.#bytes += datagram.cost;
    return datagram;
  }

  /** Room for `cost` bytes more of that datagram: older ones go. False when it went itself. */
  makeRoom(datagram: PartialDatagram, cost: number): boolean {
    while (this.#bytes + cost > this.#limits.fragmentBytes) {
      const evicted = this.#evict();
      if (evicted === datagram || evicted === null) return false;
    }
    return true;
  }

  charge(bytes: number): void {
    this.#bytes += bytes;
  }

  remove(datagram: PartialDatagram): void {
    const { hash, older, newer } = datagram;
    if (older === null) this.oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    this.#size--;
    this.#bytes -= datagram.cost;
    const head = this.#buckets.get(hash)!;
    if (head !== datagram) {
      let before = head;
      while (before.chain !== datagram) before = before.chain!;
      before.chain = datagram.chain;
    } else if (datagram.chain === null) this.#buckets.delete(hash);
    else this.#buckets.set(hash, datagram.chain);
  }

  #evict(): PartialDatagram | null {
    const { oldest } = this;
    if (oldest !== null) this.remove(oldest);
    return oldest;
  }

  #hash(inbound: Inbound, protocol: number, identification: number): number {
    const { s0, s1, s2, s3, d0, d1, d2, d3 } = inbound;
    const sources = hashWords(this.#seed, s0, s1, s2, s3);
    const both = hashWords(sources, d0, d1, d2, d3);
    return hashWords(both, protocol, inbound.version, 0, identification);
  }
}

/** Link-local addresses mean something on one link only (RFC 4007 §6). */
function scopeOf(inbound: Inbound): number {
  const linkLocal =
    inbound.version === 6 ? inbound.s0 >>> 22 === 0x3fa : inbound.s3 >>> 16 === 0xa9fe;
  return linkLocal ? inbound.interface.index : 0;
}
