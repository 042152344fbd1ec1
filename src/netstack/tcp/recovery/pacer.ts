import type { Instant } from "../../../core/time.ts";
import { FOREVER } from "./flight.ts";

/** Microseconds of sending that go in one burst: timers tick in milliseconds. */
const QUANTUM = 1_000;

/** Spreads sending over time at a rate that congestion control names, in bursts of about a millisecond. */
export class Pacer {
  /** When what was sent will have gone at the rate; behind now by at most a quantum of credit. */
  #paidUntil = 0;
  /** When to ask again, after `budget` said 0. */
  #readyAt: Instant = FOREVER;

  /** Bytes that may go now; at `ready(…)` there will be more. */
  budget(now: Instant, rate: number, mss: number): number {
    const bytes = Math.trunc((this.#lead(now) * rate) / 1_000_000);
    const least = burst(rate, mss);
    // Between bursts nothing: a burst begins when all of it is paid, up to a quantum ahead.
    if (bytes < least && this.#paidUntil > now) {
      this.#readyAt = Math.ceil(this.#paidUntil) as Instant;
      return 0;
    }
    this.#readyAt = FOREVER;
    return Math.max(bytes, least);
  }

  /** The earlier of `at` and when a burst that had to wait may go. */
  earlier(at: Instant): Instant {
    return this.#readyAt < at ? this.#readyAt : at;
  }

  onTimeout(now: Instant): void {
    if (now >= this.#readyAt) this.#readyAt = FOREVER;
  }

  onSent(now: Instant, bytes: number, rate: number): void {
    const from = Math.max(this.#paidUntil, now - QUANTUM);
    this.#paidUntil = from + (bytes * 1_000_000) / rate;
    // Whoever sets a timer after this send need not ask for a budget first.
    if (this.#paidUntil > now) this.#readyAt = Math.ceil(this.#paidUntil) as Instant;
  }

  #lead(now: Instant): number {
    return now + QUANTUM - Math.max(this.#paidUntil, now - QUANTUM);
  }
}

/** What is worth a burst: a quantum's bytes, at least two segments, at most 64 KiB. */
export const burst = (rate: number, mss: number): number =>
  Math.max(2 * mss, Math.min(65_535, Math.trunc((rate * QUANTUM) / 1_000_000)));
