import { below, type Rng, SeededRng, unit } from "../../../src/core/random.ts";

/** Chance for a run that its seed repeats. */
export class Dice {
  readonly rng: Rng;

  constructor(seed: number, stream = 0) {
    this.rng = new SeededRng(seed, stream);
  }

  u32(): number {
    return this.rng.u32();
  }

  /** 0 to `bound` - 1. */
  below(bound: number): number {
    return below(this.rng, bound);
  }

  /** Both ends included. */
  between(least: number, most: number): number {
    return least + below(this.rng, most - least + 1);
  }

  chance(share: number): boolean {
    return unit(this.rng) < share;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.rng.u32();
    return bytes;
  }
}
