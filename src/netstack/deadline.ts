import { type Rng, unit } from "../core/random.ts";
import type { Duration, Instant } from "../core/time.ts";
import type { Timer, Timers, TimerTarget } from "../core/transport.ts";
import { FOREVER } from "./address-table.ts";

/** One timer that is set, moved and taken back; `FOREVER` is not to fire. */
export class Deadline implements TimerTarget {
  /** When it will fire; `FOREVER` when it is not set. */
  at: Instant = FOREVER;
  readonly #timers: Timers;
  readonly #onDue: (now: Instant) => void;
  #timer: Timer | null = null;

  constructor(timers: Timers, onDue: (now: Instant) => void) {
    this.#timers = timers;
    this.#onDue = onDue;
  }

  get isSet(): boolean {
    return this.at !== FOREVER;
  }

  set(at: Instant): void {
    this.at = at;
    if (at === FOREVER) this.#timer?.cancel();
    else if (this.#timer === null) this.#timer = this.#timers.schedule(this, at);
    else this.#timer.reschedule(at);
  }

  cancel(): void {
    this.set(FOREVER);
  }

  onTimer(now: Instant): void {
    this.at = FOREVER;
    this.#onDue(now);
  }
}

/** A uniform duration below `limit`, which may be of any length. */
export const randomBelow = (rng: Rng, limit: Duration): Duration =>
  Math.trunc(unit(rng) * limit) as Duration;
