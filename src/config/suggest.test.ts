import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, nearest } from "./suggest.ts";

fc.configureGlobal({ seed: 20_261_121 });

test.each([
  ["ap", ["app", "api"], "app"],
  ["upstrem", ["upstream", "split"], "upstream"],
  ["lsiten", ["listen"], "listen"],
  ["LISTEN", ["listen"], "listen"],
  ["banana", ["listen", "routes"], undefined],
  ["", ["a"], "a"],
  ["x", [], undefined],
])("%j among %j: %j", (written, candidates, expected) => {
  expect(nearest(written, candidates)).toBe(expected);
});

test("any two texts: zero for the same, symmetric, at most the longer one", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 6 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const d = editDistance(a, b, 99);
      expect(d === 0).toBe(a === b);
      expect(editDistance(b, a, 99)).toBe(d);
      expect(d).toBeLessThanOrEqual(Math.max(a.length, b.length));
      expect(editDistance(a, b, 2)).toBe(Math.min(d, 2));
    }),
  );
});
