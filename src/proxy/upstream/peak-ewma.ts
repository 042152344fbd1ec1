import { type Duration, type Instant, millis, seconds } from "../../core/time.ts";

/** The time constant of forgetting: after it a cost is down to 1/e. Linkerd's default. */
export const ewmaDecay: Duration = seconds(10);

/** What an endpoint is taken to cost before it was measured. Linkerd's default. */
export const defaultRtt: Duration = millis(30);

/**
 * The peak-sensitive moving average of Finagle and Linkerd: a round trip above the cost becomes the
 * cost at once, one below it draws the cost down slowly. With t since the last observation and
 * w = exp(-t / 10 s):
 *
 *     cost ← rtt                           where rtt > cost
 *     cost ← cost × w + rtt × (1 - w)      otherwise
 *
 * Between observations the cost counts as cost × w, so an endpoint that was slow once and gets nothing
 * any more is tried again. Unlike Linkerd's, reading does not store the decayed value: a look from the
 * admin interface leaves the balance alone.
 */
export class PeakEwma {
  /** Microseconds, as of `#observedAt`. */
  #cost: number = defaultRtt;
  #observedAt: Instant;

  constructor(now: Instant) {
    this.#observedAt = now;
  }

  /** The cost now, in microseconds. */
  cost(now: Instant): number {
    return this.#cost * this.#weight(now);
  }

  /** A request was answered after `rtt`. */
  observe(now: Instant, rtt: Duration): void {
    if (rtt > this.#cost) this.#cost = rtt;
    else {
      const w = this.#weight(now);
      this.#cost = this.#cost * w + rtt * (1 - w);
    }
    this.#observedAt = now;
  }

  /**
   * A request failed after `rtt`. Failing is quick as a rule, and must not look like speed: the cost
   * is not drawn down, does not decay over the time since, and is at least that of an unknown endpoint.
   */
  observeFailure(now: Instant, rtt: Duration): void {
    this.#cost = Math.max(this.#cost, rtt, defaultRtt);
    this.#observedAt = now;
  }

  /** A request was given up after `rtt`: it would have taken at least that long. */
  observeAtLeast(now: Instant, rtt: Duration): void {
    if (rtt > this.#cost) this.observe(now, rtt);
  }

  #weight(now: Instant): number {
    const since = now - this.#observedAt;
    return since <= 0 ? 1 : Math.exp(-since / ewmaDecay);
  }
}
