import { expect, it } from "vitest";
import { SeededRng } from "../../core/random.ts";
import { after, instant, millis, seconds } from "../../core/time.ts";
import { RateLimit } from "./rate-limit.ts";

it("rate limit: about so many a second, never more than one and a half times, never the same", () => {
  const limit = new RateLimit(new SeededRng(1), 100);
  const counts: number[] = [];
  let now = instant(0);
  for (let second = 0; second < 20; second++) {
    let allowed = 0;
    for (let i = 0; i < 500; i++) if (limit.allows(after(now, millis(i)))) allowed++;
    counts.push(allowed);
    now = after(now, seconds(1));
  }
  expect(Math.max(...counts)).toBeLessThanOrEqual(150);
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(50);
  expect(new Set(counts).size).toBeGreaterThan(5);
});

it("rate limit of zero: allows nothing", () => {
  const limit = new RateLimit(new SeededRng(1), 0);
  for (let i = 0; i < 5; i++) expect(limit.allows(instant(i * 1_000_000))).toBe(false);
});
