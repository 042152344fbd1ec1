import { type Instant, seconds } from "../../core/time.ts";
import type { Timer, TimerTarget } from "../../core/transport.ts";
import type { StackContext } from "../context.ts";
import { hashWords, type Ip } from "../ip-address.ts";

/** RFC 1191 §6.3, RFC 8201 §4: how long a lower MTU is believed before more is tried again. */
const LIFETIME = seconds(600);
/** RFC 791 §3.2 and RFC 8200 §5: what every link has. */
export const MIN_MTU_IPV4 = 68;
export const MIN_MTU_IPV6 = 1280;

/** RFC 1191 §7.1, table 7-1: the MTUs that links tend to have. */
const PLATEAUS = [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, 508, 296, 68];

/** The largest common MTU below `length`, where a router did not say its own. */
export function plateauBelow(length: number): number {
  for (const plateau of PLATEAUS) if (plateau < length) return plateau;
  return MIN_MTU_IPV4;
}

class Entry {
  readonly destination: Ip;
  mtu: number;
  expiresAt: Instant;

  constructor(destination: Ip, mtu: number, expiresAt: Instant) {
    this.destination = destination;
    this.mtu = mtu;
    this.expiresAt = expiresAt;
  }
}

/**
 * MTUs of paths that are less than their interface's, by destination, as routers told them (RFC 1191,
 * RFC 8201). At most `limits.paths`: the one told longest ago goes, which only costs another message.
 */
export class PathMtuCache implements TimerTarget {
  /** Changes with any entry: who keeps an answer asks again. */
  generation = 0;
  readonly #context: StackContext;
  readonly #seed: number;
  /** By hash of the destination, in the order in which they expire. Of a collision, the later stays. */
  readonly #entries = new Map<number, Entry>();
  #timer: Timer | null = null;

  constructor(context: StackContext) {
    this.#context = context;
    this.#seed = context.rng.u32() | 0;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** In bytes of IP packet; 0: nothing is known against the interface's. */
  get(destination: Ip): number {
    if (this.#entries.size === 0) return 0;
    const entry = this.#entries.get(this.#key(destination));
    return entry?.destination.equals(destination) ? entry.mtu : 0;
  }

  /**
   * A router says that packets of `length` were too long; `told` is its MTU, or 0. `current`: what we
   * believed. Returns whether the path's MTU is less now. Only for verified messages.
   */
  lower(destination: Ip, told: number, length: number, current: number): boolean {
    const next = this.#believable(destination, told, length);
    // RFC 8201 §4: never raised by a message.
    if (next === 0 || next >= current) return false;
    const key = this.#key(destination);
    this.#entries.delete(key);
    if (this.#entries.size >= this.#context.limits.paths) this.#evict();
    const expiresAt = (this.#context.now() + LIFETIME) as Instant;
    this.#entries.set(key, new Entry(destination, next, expiresAt));
    this.generation = (this.generation + 1) | 0;
    this.#arm(expiresAt);
    return true;
  }

  /** Entries in the order of their expiry: those that are due stand first. */
  onTimer(now: Instant): void {
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAt > now) {
        this.#arm(entry.expiresAt);
        return;
      }
      this.#entries.delete(key);
      this.generation = (this.generation + 1) | 0;
    }
  }

  #believable({ version }: Ip, told: number, length: number): number {
    if (version === 6) return told < MIN_MTU_IPV6 ? 0 : told;
    if (told === 0) return plateauBelow(length);
    return Math.max(told, MIN_MTU_IPV4);
  }

  #evict(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      return;
    }
  }

  #arm(at: Instant): void {
    if (this.#timer === null) this.#timer = this.#context.schedule(this, at);
    else if (!this.#timer.active) this.#timer.reschedule(at);
  }

  #key({ w0, w1, w2, w3 }: Ip): number {
    return hashWords(this.#seed, w0, w1, w2, w3);
  }
}
