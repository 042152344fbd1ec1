/** A source of random numbers, passed in wherever chance is needed so that a run can be repeated. */
export interface Rng {
  /** A uniform integer in [0, 2^32). */
  u32(): number;
}

/**
 * A uniform integer in [0, bound) without modulo bias (Lemire 2019). Throws RangeError unless `bound` is
 * a whole number from 1 to 2^32.
 */
export function below(rng: Rng, bound: number): number {
  if (!(bound >= 1 && bound <= 0x1_0000_0000 && Number.isInteger(bound))) {
    throw new RangeError(`no 32 bits give a number below ${bound}`);
  }
  const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
  for (;;) {
    const draw = rng.u32();
    if (draw < limit) return draw % bound;
  }
}

/** A uniform number in [0, 1) with 32 random bits. */
export const unit = (rng: Rng): number => rng.u32() / 0x1_0000_0000;

/**
 * The sfc32 generator (Doty-Humphrey, PractRand): small, fast, passes PractRand. Not for secrets.
 * The same seed gives the same sequence.
 */
export class SeededRng implements Rng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = Math.trunc(seed / 0x1_0000_0000) | 0;
    this.#c = stream | 0;
    for (let i = 0; i < 15; i++) this.u32();
  }

  u32(): number {
    const t = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t;
    this.#c |= 0;
    return t >>> 0;
  }
}
