import fc from "fast-check";
import { expect, test } from "vitest";
import { normalizePath } from "./path.ts";

fc.configureGlobal({ seed: 20_261_121, numRuns: 500 });

test.each([
  ["/", "/"],
  ["/a/b", "/a/b"],
  ["/a/b/", "/a/b/"],
  ["//a///b", "/a/b"],
  ["/a/./b/.", "/a/b/"],
  ["/a/b/..", "/a/"],
  ["/a/../b", "/b"],
  ["/a/..", "/"],
  ["/a//../b", "/b"],
  ["/.well-known/x", "/.well-known/x"],
  ["/...", "/..."],
  ["/%61%2E%7e", "/a.~"],
  ["/%2e%2e%2fx", null],
  ["/a/%2e%2e/b", "/b"],
  ["/a%2fb%c3%a9", "/a%2Fb%C3%A9"],
  ["/a\\b", "/a%5Cb"],
  ["*", "*"],
  ["", ""],
])("a path %j, normalised, is %j", (raw, normal) => {
  expect(normalizePath(raw)).toBe(normal);
});

test.each([
  ["climbs above the root", "/.."],
  ["climbs above the root encoded", "/%2e%2E/x"],
  ["climbs and returns", "/a/../../a"],
  ["has a broken escape", "/%zz"],
  ["ends in half an escape", "/a%2"],
  ["has an encoded NUL", "/a%00"],
  ["hides a dot segment behind an encoded slash", "/a/..%2fadmin"],
  ["hides a dot segment before an encoded slash", "/a%2F.."],
  ["hides a dot segment behind a backslash", "/a/..\\admin"],
  ["hides a dot segment behind a parameter", "/a/..;v=1/admin"],
  ["hides a dot segment behind an encoded parameter", "/a/..%3bv=1/admin"],
])("a path that %s is refused", (_, raw) => {
  expect(normalizePath(raw)).toBeNull();
});

const piece = fc.constantFrom(
  ..."/ // . .. a b admin %2e %2E%2e %2f %5c \\ ; %41 %zz % %00 é ? ~".split(" "),
);
const anyPath = fc.array(piece, { maxLength: 12 }).map((parts) => `/${parts.join("")}`);

test("any path: what comes back has no dot segment, no doubled slash and no needless escape", () => {
  fc.assert(
    fc.property(anyPath, (raw) => {
      const path = normalizePath(raw);
      if (path === null) return;
      expect(path).toMatch(/^\//);
      expect(path).not.toMatch(/\/\/|\/\.\.?(\/|$)|\\/);
      for (const [, code] of path.matchAll(/%(..)/g)) {
        expect(String.fromCharCode(Number.parseInt(code!, 16))).not.toMatch(/[\w.~-]/);
        expect(code).toBe(code!.toUpperCase());
      }
    }),
  );
});

test("any path: normalising twice changes nothing", () => {
  fc.assert(
    fc.property(anyPath, (raw) => {
      const once = normalizePath(raw);
      if (once !== null) expect(normalizePath(once)).toBe(once);
    }),
  );
});

test("any path without escapes: agrees with a plain resolver", () => {
  const plain = fc.array(fc.constantFrom("a", "b", ".", "..", "", "..a", "a."), { maxLength: 8 });
  fc.assert(
    fc.property(plain, (segments) => {
      const stack: string[] = [];
      let above = false;
      for (const segment of segments.filter((s) => s !== "" && s !== ".")) {
        if (segment !== "..") stack.push(segment);
        else above ||= stack.pop() === undefined;
      }
      const path = normalizePath(`/${segments.join("/")}`);
      if (above) expect(path).toBeNull();
      else expect(path!.replace(/\/$/, "")).toBe(stack.map((s) => `/${s}`).join(""));
    }),
  );
});
