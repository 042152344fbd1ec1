import type { Cut } from "./engine-pair.ts";

/** Every byte by itself. */
export const bytewise: Cut = (bytes) => Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));

/** Pieces of drawn lengths up to `longest`, the same for a seed. */
export function drawn(seed: number, longest: number): Cut {
  let state = seed >>> 0;
  const draw = (): number => {
    // Numerical Recipes' generator: enough to scatter cuts.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 1 + ((state >>> 8) % longest);
  };
  return (bytes) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = draw();
      pieces.push(bytes.subarray(at, at + length));
      at += length;
    }
    return pieces;
  };
}
