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
  phase: "slow-start" | "conservative" | "off" = "slow-start";
  #lastMin = Number.MAX_SAFE_INTEGER;
  #currentMin = Number.MAX_SAFE_INTEGER;
  #baseline = Number.MAX_SAFE_INTEGER;
  #samples = 0;
  #rounds = 0;

  /** §4.2; true: slow start is over, set ssthresh to cwnd. */
  onAck(ack: AckSample): boolean {
    if (this.phase === "off") return false;
    if (ack.roundStart) {
      this.#lastMin = this.#currentMin;
      this.#currentMin = Number.MAX_SAFE_INTEGER;
      this.#samples = 0;
      if (this.phase === "conservative" && ++this.#rounds >= CSS_ROUNDS) {
        this.phase = "off";
        return true;
      }
    }
    if (ack.rtt <= 0) return false;
    if (ack.rtt < this.#currentMin) this.#currentMin = ack.rtt;
    this.#samples++;
    if (this.#samples < SAMPLES) return false;
    if (this.phase === "slow-start") this.#lookForGrowth();
    else if (this.#currentMin < this.#baseline) {
      this.phase = "slow-start";
      this.#baseline = Number.MAX_SAFE_INTEGER;
    }
    return false;
  }

  #lookForGrowth(): void {
    const last = this.#lastMin;
    if (last === Number.MAX_SAFE_INTEGER) return;
    const eighth = last / MIN_RTT_DIVISOR;
    const threshold = Math.max(MIN_RTT_THRESH, Math.min(eighth, MAX_RTT_THRESH));
    if (this.#currentMin < last + threshold) return;
    this.#baseline = this.#currentMin;
    this.phase = "conservative";
    this.#rounds = 0;
  }
}
