import { randomFillSync } from "node:crypto";
import type { Rng } from "../core/random.ts";

const WORDS = 256;

/** The operating system's random numbers, a block at a time: fit for secrets. */
export class SystemRng implements Rng {
  readonly #block = new Uint32Array(WORDS);
  #used = WORDS;

  u32(): number {
    if (this.#used === WORDS) {
      randomFillSync(this.#block);
      this.#used = 0;
    }
    const drawn = this.#block[this.#used]!;
    this.#block[this.#used++] = 0;
    return drawn;
  }
}
