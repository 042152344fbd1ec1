import fc from "fast-check";
import { expect, test } from "vitest";
import { CounterMemory } from "./counters.ts";
import { DURATION_BOUNDS, HISTOGRAM_SLOTS, observe, readHistogram } from "./histogram.ts";

test("a duration on a bound, observed, counts in that bound's bucket", () => {
  const memory = new CounterMemory(HISTOGRAM_SLOTS, 1);
  observe(memory.row(0), 0, 250);
  observe(memory.row(0), 0, 251);
  const { cumulative } = readHistogram(memory, 0);
  expect(cumulative[0]).toBe(1);
  expect(cumulative[1]).toBe(2);
});

test("any durations, observed by two workers, read back as a sort would count them", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(120_000_000)), fc.array(fc.nat(3_000)), (slow, quick) => {
      const memory = new CounterMemory(HISTOGRAM_SLOTS + 5, 2);
      for (const duration of slow) observe(memory.row(0), 5, duration);
      for (const duration of quick) observe(memory.row(1), 5, duration);
      const all = [...slow, ...quick];
      const reading = readHistogram(memory, 5);
      expect(reading.count).toBe(all.length);
      expect(reading.sum).toBe(all.reduce((a, b) => a + b, 0));
      expect(reading.cumulative).toEqual(
        DURATION_BOUNDS.map((bound) => all.filter((d) => d <= bound).length),
      );
    }),
    { seed: 20_251 },
  );
});
