import { below, type Rng, SeededRng, unit } from "../../src/core/random.ts";
import { type Duration, millis } from "../../src/core/time.ts";

/** Draws from one stream of chance: the same seed and stream give the same draws. */
export class Draw {
  private readonly rng: Rng;

  constructor(seed: number, stream: number) {
    this.rng = new SeededRng(seed, stream);
  }

  chance(probability: number): boolean {
    return unit(this.rng) < probability;
  }

  /** A uniform integer from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return least + below(this.rng, most - least + 1);
  }

  pick<T>(from: readonly T[]): T {
    return from[below(this.rng, from.length)]!;
  }

  /** Small ones are as likely as large ones: uniform over the powers of two first. */
  size(most: number): number {
    const bits = this.int(0, Math.floor(Math.log2(most)));
    return this.int(0, Math.min(most, 2 ** bits));
  }

  millis(least: number, most: number): Duration {
    return millis(this.int(least, most));
  }
}
