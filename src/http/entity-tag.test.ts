import fc from "fast-check";
import { expect, test } from "vitest";
import { holdsWeakened, restoredTags, weakenedTag } from "./entity-tag.ts";

fc.configureGlobal({ seed: 20_261_121, numRuns: 300 });

test.each([
  ['"v1"', 'W/"v1~z"'],
  ['""', 'W/"~z"'],
  ['W/"v1"', 'W/"v1"'],
  ["v1", "v1"],
  ['"a"b"', '"a"b"'],
])("the tag %s, weakened, is %s", (tag, weak) => {
  expect(weakenedTag(tag)).toBe(weak);
});

test.each([
  ['W/"v1~z"', '"v1"'],
  ['"a", W/"v1~z",W/"b~z" , W/"own"', '"a", "v1","b" , W/"own"'],
  ['"v1~z"', '"v1~z"'],
  ["*", "*"],
])("the list %s, restored, is %s", (list, restored) => {
  expect(restoredTags(list)).toBe(restored);
});

test("any strong tag: comes back as it was, among others", () => {
  const tag = fc
    .array(fc.integer({ min: 0x23, max: 0x7e }), { maxLength: 20 })
    .map((codes) => `"${String.fromCharCode(...codes)}"`);
  fc.assert(
    fc.property(tag, tag, (one, other) => {
      expect(restoredTags(`${weakenedTag(one)}, ${weakenedTag(other)}`)).toBe(`${one}, ${other}`);
      expect(holdsWeakened(`W/"x", ${weakenedTag(one)}`, one)).toBe(true);
      expect(holdsWeakened(one, one)).toBe(false);
    }),
  );
});
