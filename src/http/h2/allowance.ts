import type { Clock } from "../../core/time.ts";
import type { Budget } from "./limits.ts";

/**
 * How many frames of a kind a peer may still send: see `Budget`. The clock is read only when it is
 * empty.
 */
export class Allowance {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #filledAt: number;

  constructor({ burst, perSecond }: Budget, clock: Clock) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
    this.#filledAt = clock.now();
  }

  /** Takes one; false when none is left. */
  take(clock: Clock): boolean {
    if (this.#left >= 1) {
      this.#left--;
      return true;
    }
    const now = clock.now();
    const earned = ((now - this.#filledAt) * this.#perSecond) / 1e6;
    if (this.#left + earned < 1) return false;
    this.#left = Math.min(this.#burst, this.#left + earned) - 1;
    this.#filledAt = now;
    return true;
  }

  grant(more: number): void {
    this.#left = Math.min(this.#burst, this.#left + more);
  }
}
