import type { AckSample } from "./congestion-control.ts";

/** RFC 9406 §4.3; times in microseconds. */
const MIN_RTT_THRESH = 4_000;
const MAX_RTT_THRESH = 16_000;
const MIN_RTT_DIVISOR = 8;
const SAMPLES = 8;
export const CSS_GROWTH_DIVISOR = 4;
const CSS_ROUNDS = 5;

/**
 * HyStart++ (RFC 9406): ends slow start when the round trip grows, before the queue overflows, by way
 * of a few rounds of conservative slow start (CSS) in case the growth was noise.
 */
export class HyStart {
  phase: "slow-start" | "conservative" = "slow-start";
  /** Least round trips: of the last round, of this one, and as CSS began; 0: none yet. */
  #lastMin = 0;
  #currentMin = 0;
  #baseline = 0;
  #samples = 0;
  #rounds = 0;

  /** §4.2; true: slow start is over, set ssthresh to cwnd. */
  onAck(ack: AckSample): boolean {
    if (ack.roundStart) {
      this.#lastMin = this.#currentMin;
      this.#currentMin = 0;
      this.#samples = 0;
      if (this.phase === "conservative" && ++this.#rounds >= CSS_ROUNDS) return true;
    }
    if (ack.rtt <= 0) return false;
    if (this.#currentMin === 0 || ack.rtt < this.#currentMin) this.#currentMin = ack.rtt;
    this.#samples++;
    if (this.#samples < SAMPLES) return false;
    if (this.phase === "slow-start") this.#lookForGrowth();
    else if (this.#currentMin < this.#baseline) {
      this.phase = "slow-start"; // the growth was noise
    }
    return false;
  }

  #lookForGrowth(): void {
    const last = this.#lastMin;
    if (last === 0) return;
    const eighth = last / MIN_RTT_DIVISOR;
    const threshold = Math.max(MIN_RTT_THRESH, Math.min(eighth, MAX_RTT_THRESH));
    if (this.#currentMin < last + threshold) return;
    this.#baseline = this.#currentMin;
    this.phase = "conservative";
    this.#rounds = 0;
  }
}
