import { expect, it } from "vitest";
import { after, elapsed, instant, micros, millis, seconds, toMillis } from "./time.ts";

it("all is in whole microseconds", () => {
  expect([micros(1.9), millis(1.5), millis(0.0019), seconds(2.5)]).toEqual([
    1, 1_500, 1, 2_500_000,
  ]);
  expect(instant(7.9)).toBe(7);
  expect(toMillis(seconds(1))).toBe(1_000);
});

it("what elapsed since brings back what came after", () => {
  const start = instant(123_456);
  expect(elapsed(start, after(start, millis(5)))).toBe(millis(5));
});
