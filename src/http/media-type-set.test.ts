import { expect, test } from "vitest";
import { MediaTypeSet } from "./media-type-set.ts";

const set = new MediaTypeSet(["text/*", "*+json", "Application/JSON"]);

test.each<[string | undefined, boolean]>([
  ["text/html; charset=utf-8", true],
  ["TEXT/Plain", true],
  ["text", false],
  ["application/json ;x", true],
  ["application/ld+json", true],
  ["application/json5", false],
  ["image/png; a=text/html", false],
  ["", false],
  [undefined, false],
])("Content-Type %j: %j", (type, expected) => {
  expect(set.has(type)).toBe(expected);
});

test("all types, even unknown ones, but none that is not said", () => {
  const all = new MediaTypeSet(["*"]);
  expect(all.has("image/png")).toBe(true);
  expect(all.has(undefined)).toBe(false);
});
