import fc from "fast-check";
import { expect, it } from "vitest";
import { below, type Rng, SeededRng, unit } from "./random.ts";

const seed = 20260306;
const draws = (rng: Rng, n: number): number[] => Array.from({ length: n }, () => rng.u32());

it("the same seed and stream give the same numbers, others give others", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(1_000), (value, stream) => {
      const first = draws(new SeededRng(value, stream), 8);
      expect(draws(new SeededRng(value, stream), 8)).toEqual(first);
      expect(draws(new SeededRng(value, stream + 1), 8)).not.toEqual(first);
      expect(draws(new SeededRng(value ^ 1, stream), 8)).not.toEqual(first);
      for (const draw of first) expect(Number.isInteger(draw) && draw >= 0).toBe(true);
      for (const draw of first) expect(draw).toBeLessThan(2 ** 32);
    }),
    { seed },
  );
});

it("seeds that differ above 32 bits give different numbers", () => {
  expect(draws(new SeededRng(5), 4)).not.toEqual(draws(new SeededRng(5 + 2 ** 32), 4));
});

it("below: every value comes up about equally often", () => {
  const rng = new SeededRng(seed);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) counts[below(rng, 10)]!++;
  // chi-squared with 9 degrees of freedom: 27.9 is passed once in a thousand seeds
  const chi2 = counts.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0);
  expect(chi2).toBeLessThan(27.9);
});

it("below: draws again where the modulo would favour small values", () => {
  const fed = [0xffff_ffff, 0xffff_fffe, 7];
  const rng: Rng = { u32: () => fed.shift()! };
  // the two highest draws would stand for 0 and 1 a second time
  expect(below(rng, 0xffff_fffe)).toBe(7);
  expect(fed).toEqual([]);
});

it("below: 1 gives 0, and 2^32 gives any draw", () => {
  expect(below(new SeededRng(1), 1)).toBe(0);
  const rng: Rng = { u32: () => 0xffff_ffff };
  expect(below(rng, 2 ** 32)).toBe(0xffff_ffff);
});

it("unit: from 0 to below 1", () => {
  expect(unit({ u32: () => 0 })).toBe(0);
  expect(unit({ u32: () => 0xffff_ffff })).toBeLessThan(1);
  expect(unit({ u32: () => 0x8000_0000 })).toBe(0.5);
});

it.each([0, -1, 0.5, 2 ** 32 + 1, Number.NaN, Number.POSITIVE_INFINITY])(
  "below: refuses a bound of %d instead of drawing for ever",
  (bound) => {
    expect(() => below(new SeededRng(seed), bound)).toThrow(RangeError);
  },
);

it("below: takes a bound of all 32 bits", () => {
  expect(below({ u32: () => 0xffff_ffff }, 2 ** 32)).toBe(0xffff_ffff);
});
