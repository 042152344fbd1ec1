import fc from "fast-check";
import { expect, test } from "vitest";
import { SeededRng } from "../core/random.ts";
import { renewalTime, retryDelay } from "./schedule.ts";

const DAY = 86_400_000;
const MINUTE = 60_000;
const quarter = { validFrom: 0, validTo: 90 * DAY, serial: "01" };

test("renewal, nothing said: within a tenth of the last third of its life, after that begins", () => {
  const at = renewalTime(quarter, null);
  expect(at).toBeGreaterThanOrEqual(60 * DAY);
  expect(at).toBeLessThan(63 * DAY);
});

test("renewal, of certificates issued together: spread, and the same each time", () => {
  const times = Array.from({ length: 50 }, (_, i) =>
    renewalTime({ ...quarter, serial: `0a${i}` }, null),
  );
  expect(new Set(times).size).toBe(50);
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(2 * DAY);
  expect(renewalTime(quarter, null)).toBe(renewalTime({ ...quarter }, null));
});

test("renewal, any life and any margin: a third of the life is used, and never past the end", () => {
  fc.assert(
    fc.property(
      fc.nat(4e12),
      fc.nat(1e11),
      fc.option(fc.nat(1e12)),
      fc.string(),
      (validFrom, life, renewBefore, serial) => {
        const at = renewalTime({ validFrom, validTo: validFrom + life, serial }, renewBefore);
        expect(at).toBeGreaterThanOrEqual(Math.floor(validFrom + life / 3));
        expect(at).toBeLessThanOrEqual(validFrom + life);
      },
    ),
    { seed: 1 },
  );
});

test("retries, refused again and again: four attempts in the first hour, then ever rarer", () => {
  const rng = new SeededRng(1);
  let at = 0;
  const attempts = [0];
  for (let failures = 1; failures <= 12; failures++) {
    at += retryDelay("refused", failures, 0, rng);
    attempts.push(at);
  }
  expect(attempts.filter((time) => time < 60 * MINUTE).length).toBeLessThanOrEqual(4);
  expect(attempts.at(-1)! - attempts.at(-2)!).toBeGreaterThanOrEqual(12 * 60 * MINUTE);
  expect(attempts.at(-1)! - attempts.at(-2)!).toBeLessThanOrEqual(15 * 60 * MINUTE);
});

test("retries, the authority says when: never before that", () => {
  const rng = new SeededRng(2);
  for (const kind of ["unreachable", "refused", "limited", "local"] as const) {
    expect(retryDelay(kind, 1, 3 * DAY, rng)).toBeGreaterThanOrEqual(3 * DAY);
    expect(retryDelay(kind, 1_000, 0, rng)).toBeLessThan(DAY);
  }
});
