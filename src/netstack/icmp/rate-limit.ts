import type { Clock, Instant } from "../../core/time.ts";

const SECOND = 1_000_000;

/** A token bucket (RFC 4443 §2.4 (f)): so many a second, and so many at once. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  /** In millionths of a token: microseconds times tokens per second. */
  #tokens: number;
  #at: Instant;

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst * SECOND;
    this.#tokens = this.#burst;
    this.#at = clock.now();
  }

  /** Whether one more may go now; takes its token. */
  take(): boolean {
    const now = this.#clock.now();
    const earned = Math.max(0, now - this.#at) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#at = now;
    if (this.#tokens < SECOND) return false;
    this.#tokens -= SECOND;
    return true;
  }
}
