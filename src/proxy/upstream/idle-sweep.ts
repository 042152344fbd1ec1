import { after, type Duration, type Instant, millis } from "../../core/time.ts";
import type { Timer, Timers, TimerTarget } from "../../core/transport.ts";

/** Sweeps are at least this far apart, so an idle connection outlives its timeout by no more. */
export const sweepInterval: Duration = millis(100);

/** Something with pools. */
export interface Swept {
  /** Retires what has been idle for too long; returns the first instant at which more can be due. */
  sweepIdle(now: Instant): Instant;
}

/** Calls `sweepIdle` whenever a connection may have been idle for too long. */
export class IdleSweep implements TimerTarget {
  readonly #swept: Swept;
  readonly #timers: Timers;
  #timer: Timer | null = null;
  #at = 0 as Instant;

  constructor(swept: Swept, timers: Timers) {
    this.#swept = swept;
    this.#timers = timers;
  }

  /** Asks for a sweep at `at` or before. */
  expect(at: Instant): void {
    if (this.#timer === null) this.#timer = this.#timers.schedule(this, at);
    else if (!this.#timer.active || at < this.#at) this.#timer.reschedule(at);
    else return;
    this.#at = at;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  onTimer(now: Instant): void {
    const next = this.#swept.sweepIdle(now);
    this.expect(Math.max(next, after(now, sweepInterval)) as Instant);
  }
}
