import { type Rng, unit } from "../../core/random.ts";
import { type Duration, type Instant, micros, seconds } from "../../core/time.ts";

/** RFC 4861 §10. */
export const MAX_MULTICAST_SOLICIT = 3;
export const MAX_UNICAST_SOLICIT = 3;
export const DELAY_FIRST_PROBE_TIME = seconds(5);
const REACHABLE_TIME = seconds(30);
const RETRANS_TIMER = seconds(1);
/** §6.3.4: drawn anew every few hours even without router advertisements. */
const REDRAWN_AFTER = seconds(2 * 3600);
/** The bounds within which a router's word is taken: it shall neither stop us nor make us flood the link. */
const MIN_BASE = seconds(1);
const MAX_BASE = seconds(3600);
const MIN_RETRANS = micros(100_000);
const MAX_RETRANS = seconds(60);

/** The times of neighbour unreachability detection, of one family on one interface. */
export class Reachability {
  /** Between solicitations (RetransTimer). */
  retransTimer: Duration = RETRANS_TIMER;
  #base: Duration = REACHABLE_TIME;
  #reachable: Duration;
  #drawnAt: Instant;
  readonly #rng: Rng;

  constructor(rng: Rng, now: Instant) {
    this.#rng = rng;
    this.#drawnAt = now;
    this.#reachable = this.#draw();
  }

  /** How long a confirmation holds: 0.5 to 1.5 times the base, so that hosts do not probe in step (§6.3.2). */
  reachableTime(now: Instant): Duration {
    if (now - this.#drawnAt >= REDRAWN_AFTER) {
      this.#drawnAt = now;
      this.#reachable = this.#draw();
    }
    return this.#reachable;
  }

  /** A new BaseReachableTime; one that is the same changes nothing (§6.3.4). */
  setBase(base: Duration, now: Instant): void {
    const next = clamp(base, MIN_BASE, MAX_BASE);
    if (next === this.#base) return;
    this.#base = next;
    this.#drawnAt = now;
    this.#reachable = this.#draw();
  }

  setRetransTimer(time: Duration): void {
    this.retransTimer = clamp(time, MIN_RETRANS, MAX_RETRANS);
  }

  #draw(): Duration {
    return micros(this.#base * (0.5 + unit(this.#rng)));
  }
}

const clamp = (value: Duration, low: Duration, high: Duration): Duration =>
  value < low ? low : value > high ? high : value;
