import { describeError } from "./report.ts";

/** Faults told in full within one window; a hook that always throws must not drown the log. */
const toldPerWindow = 10;
const windowMs = 1_000;

/** Passes faults on, at most ten a second; what was left out is summed up in the next one. */
export class FaultReport {
  readonly #send: (where: string, text: string) => void;
  readonly #nowMs: () => number;
  #windowStart = Number.NEGATIVE_INFINITY;
  #told = 0;
  #leftOut = 0;

  constructor(send: (where: string, text: string) => void, nowMs: () => number) {
    this.#send = send;
    this.#nowMs = nowMs;
  }

  fault(where: string, error: unknown): void {
    const now = this.#nowMs();
    if (now - this.#windowStart >= windowMs) {
      this.#windowStart = now;
      this.#told = 0;
    }
    if (this.#told >= toldPerWindow) {
      this.#leftOut++;
      return;
    }
    this.#told++;
    const more = this.#leftOut === 0 ? "" : `\n  (${this.#leftOut} more since were left out)`;
    this.#leftOut = 0;
    this.#send(where, `${describeError(error)}${more}`);
  }
}
