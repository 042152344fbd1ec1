import fc from "fast-check";
import { expect, test } from "vitest";
import { PatternMatcher, PrefixMatcher } from "./pattern.ts";

fc.configureGlobal({ seed: 20_261_121, numRuns: 1_000 });

test.each([
  ["/api", "/api", true],
  ["/api", "/api/", true],
  ["/api", "/api/x/y", true],
  ["/api", "/apix", false],
  ["/api", "/ap", false],
  ["/api/", "/api", true],
  ["/", "/", true],
  ["/", "/x", true],
  ["/", "*", false],
  ["/", "", false],
])("prefix %j, path %j: %j", (prefix, path, expected) => {
  expect(new PrefixMatcher(prefix).matches(path)).toBe(expected);
});

test("prefix: what follows is captured without its slash", () => {
  expect(new PrefixMatcher("/api").captures("/api/x/y")).toEqual(["x/y"]);
  expect(new PrefixMatcher("/api").captures("/api")).toEqual([""]);
  expect(new PrefixMatcher("/").captures("/x")).toEqual(["x"]);
});

test.each([
  ["/users/:id", "/users/7", ["7"]],
  ["/users/:id", "/users/", null],
  ["/users/:id", "/users/7/", null],
  ["/users/:id", "/users/7/x", null],
  ["/users/:id/files/*", "/users/7/files/a/b", ["7", "a/b"]],
  ["/users/:id/files/*", "/users/7/files/", ["7", ""]],
  ["/users/:id/files/*", "/users/7/files", null],
  ["/users/:id/files/*", "/users/7/filesx/a", null],
  ["/*", "/", [""]],
  ["/*", "*", null],
  ["/:a/:b", "/x/y", ["x", "y"]],
  ["/a/", "/a/", []],
  ["/a/", "/a", null],
])("pattern %j, path %j: captures %j", (pattern, path, captures) => {
  const matcher = new PatternMatcher(pattern);
  expect(matcher.matches(path)).toBe(captures !== null);
  if (captures !== null) expect(matcher.captures(path)).toEqual(captures);
});

test("any pattern and path: agrees with a regular expression", () => {
  const segment = fc.constantFrom("a", "b", ":x", ":y", "ab");
  const pattern = fc
    .tuple(fc.uniqueArray(segment, { minLength: 1, maxLength: 4 }), fc.constantFrom("", "/*"))
    .map(([segments, end]) => `/${segments.join("/")}${end}`);
  const path = fc
    .array(fc.constantFrom("a", "b", "ab", "c", ""), { minLength: 1, maxLength: 5 })
    .map((segments) => `/${segments.join("/")}`);
  fc.assert(
    fc.property(pattern, path, (text, candidate) => {
      const source = text.replace(/:\w/g, "([^/]+)").replace(/\*$/, "(.*)");
      const reference = new RegExp(`^${source}$`).exec(candidate);
      const matcher = new PatternMatcher(text);
      expect(matcher.matches(candidate)).toBe(reference !== null);
      if (reference !== null) expect(matcher.captures(candidate)).toEqual(reference.slice(1));
    }),
  );
});
