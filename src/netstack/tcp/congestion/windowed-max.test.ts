import fc from "fast-check";
import { expect, test } from "vitest";
import { WindowedMax } from "./windowed-max.ts";

test("any samples: at least the latest, at most the maximum of the window", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 100 }))), (steps) => {
      const filter = new WindowedMax(10);
      const seen: [number, number][] = [];
      let at = 0;
      for (const [gap, value] of steps) {
        at += gap;
        filter.add(at, value);
        seen.push([at, value]);
        const recent = seen.filter(([t]) => at - t <= 10).map(([, v]) => v);
        expect(filter.value).toBeGreaterThanOrEqual(value);
        expect(filter.value).toBeLessThanOrEqual(Math.max(...recent));
      }
    }),
    { seed: 7 },
  );
});

test("a peak: holds for the window and then gives way to the next best", () => {
  const filter = new WindowedMax(10);
  filter.add(0, 100);
  for (let at = 1; at <= 10; at++) filter.add(at, 50);
  expect(filter.value).toBe(100);
  filter.add(11, 40);
  expect(filter.value).toBe(50);
});
