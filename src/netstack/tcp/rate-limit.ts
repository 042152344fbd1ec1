import { below, type Rng } from "../../core/random.ts";
import { elapsed, type Instant, seconds } from "../../core/time.ts";

const SECOND = seconds(1);

/**
 * So many a second, and in each second another number around the limit, from half of it up to one and
 * a half: who counts what is answered learns nothing of what others were (RFC 5961 §10, CVE-2016-5696).
 */
export class RateLimit {
  readonly #rng: Rng;
  readonly #perSecond: number;
  #since: Instant | null = null;
  #left = 0;

  constructor(rng: Rng, perSecond: number) {
    this.#rng = rng;
    this.#perSecond = perSecond;
  }

  /** Counts one when it says true. */
  allows(now: Instant): boolean {
    if (this.#since === null || elapsed(this.#since, now) >= SECOND) {
      this.#since = now;
      const half = this.#perSecond >>> 1;
      this.#left = half + below(this.#rng, this.#perSecond + 1);
    }
    if (this.#left <= 0) return false;
    this.#left--;
    return true;
  }
}
