import type { Rng } from "../../core/random.ts";
import type { Inbound } from "../inbound.ts";
import type { Ip } from "../ip-address.ts";
import { hashWords } from "../ip-address.ts";
import type { TcpFlow } from "./tcp-flow.ts";

const FIRST_SIZE = 64;

/**
 * The connections by their 4-tuple: a hash table with a secret seed, chained through the flows, of
 * which a lookup allocates nothing. It doubles when it is full and does not shrink; its bound is
 * that of the connections.
 */
export class ConnectionTable {
  #buckets: (TcpFlow | null)[] = new Array<TcpFlow | null>(FIRST_SIZE).fill(null);
  #mask = FIRST_SIZE - 1;
  #size = 0;
  readonly #seed: number;

  constructor(rng: Rng) {
    this.#seed = rng.u32() | 0;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a flow whose 4-tuple is not there yet. */
  add(flow: TcpFlow): void {
    if (this.#size > this.#mask) this.#grow();
    const { local, remote } = flow;
    flow.hash = this.#hash(
      remote.w0,
      remote.w1,
      remote.w2,
      remote.w3,
      local.w3,
      ports(flow.remotePort, flow.localPort),
    );
    flow.tabled = true;
    const bucket = flow.hash & this.#mask;
    flow.chained = this.#buckets[bucket]!;
    this.#buckets[bucket] = flow;
    this.#size++;
  }

  remove(flow: TcpFlow): void {
    if (!flow.tabled) return;
    flow.tabled = false;
    this.#size--;
    const bucket = flow.hash & this.#mask;
    let at: TcpFlow | null = this.#buckets[bucket]!;
    if (at === flow) this.#buckets[bucket] = flow.chained;
    else {
      while (at !== null && at.chained !== flow) at = at.chained;
      if (at !== null) at.chained = flow.chained;
    }
    flow.chained = null;
  }

  /** Whose segment was received. */
  find(inbound: Inbound, remotePort: number, localPort: number): TcpFlow | null {
    const { s0, s1, s2, s3, d0, d1, d2, d3 } = inbound;
    const hash = this.#hash(s0, s1, s2, s3, d3, ports(remotePort, localPort));
    for (let flow = this.#buckets[hash & this.#mask]!; flow !== null; flow = flow.chained!) {
      if (flow.hash !== hash || flow.remotePort !== remotePort) continue;
      if (flow.localPort !== localPort) continue;
      const { remote, local } = flow;
      if (remote.w3 !== s3 || remote.w2 !== s2 || remote.w1 !== s1 || remote.w0 !== s0) continue;
      if (local.w3 === d3 && local.w2 === d2 && local.w1 === d1 && local.w0 === d0) return flow;
    }
    return null;
  }

  findBetween(local: Ip, localPort: number, remote: Ip, remotePort: number): TcpFlow | null {
    const { w0, w1, w2, w3 } = remote;
    const hash = this.#hash(w0, w1, w2, w3, local.w3, ports(remotePort, localPort));
    for (let flow = this.#buckets[hash & this.#mask]!; flow !== null; flow = flow.chained!) {
      if (flow.hash !== hash) continue;
      if (flow.remotePort !== remotePort || flow.localPort !== localPort) continue;
      if (flow.remote.equals(remote) && flow.local.equals(local)) return flow;
    }
    return null;
  }

  /** All flows; the callee may remove the one that it is given. */
  forEach(visit: (flow: TcpFlow) => void): void {
    for (const head of this.#buckets.slice()) {
      let flow = head;
      while (flow !== null) {
        const next: TcpFlow | null = flow.chained;
        visit(flow);
        flow = next;
      }
    }
  }

  #hash(r0: number, r1: number, r2: number, r3: number, l3: number, both: number): number {
    const seed = this.#seed ^ Math.imul(both, 0x9e37_79b1) ^ Math.imul(l3, 0x85eb_ca77);
    return hashWords(seed ^ (seed >>> 15), r0, r1, r2, r3);
  }

  #grow(): void {
    const old = this.#buckets;
    this.#buckets = new Array<TcpFlow | null>(old.length * 2).fill(null);
    this.#mask = this.#buckets.length - 1;
    for (const head of old) {
      let flow = head;
      while (flow !== null) {
        const next: TcpFlow | null = flow.chained;
        const bucket = flow.hash & this.#mask;
        flow.chained = this.#buckets[bucket]!;
        this.#buckets[bucket] = flow;
        flow = next;
      }
    }
  }
}

const ports = (remote: number, local: number): number => (remote << 16) | local;
