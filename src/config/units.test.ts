import fc from "fast-check";
import { expect, test } from "vitest";
import { micros } from "../core/time.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "./units.ts";

fc.configureGlobal({ seed: 20_261_121 });

test.each([
  ["500ms", 500_000],
  ["10s", 10_000_000],
  ["1.5m", 90_000_000],
  ["1h", 3_600_000_000],
  ["1d", 86_400_000_000],
  ["250us", 250],
  ["10", null],
  ["s", null],
  ["-1s", null],
  ["1 s", null],
  ["1S", null],
  ["1m30s", null],
  ["1e3s", null],
  ["", null],
])("duration %j is %j microseconds", (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each([
  ["512B", 512],
  ["64KiB", 65_536],
  ["1MB", 1_000_000],
  ["1.5KiB", 1_536],
  ["2GiB", 2 * 1024 ** 3],
  ["64", null],
  ["64kb", null],
  ["KiB", null],
])("size %j is %j bytes", (text, expected) => {
  expect(parseSize(text)).toBe(expected);
});

test("any whole number of units: what is formatted reads back the same", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999 }), (n) => {
      expect(parseDuration(formatDuration(micros(n)))).toBe(n);
      expect(parseSize(formatSize(n))).toBe(n);
    }),
  );
});
