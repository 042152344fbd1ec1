import { describe, expect, it } from "vitest";
import { SeededRng } from "../../../core/random.ts";
import { instant } from "../../../core/time.ts";
import { butFor, endpointsOfWeights, everyone, request } from "../fixture.ts";
import { P2cEwma } from "./p2c-ewma.ts";

const seed = 20260711;
const at = (ms: number) => instant(ms * 1_000);

function fixture(weights: readonly number[]) {
  const endpoints = endpointsOfWeights(weights);
  const balancer = new P2cEwma(endpoints);
  const rng = new SeededRng(seed);
  const pick = (now = at(0), candidates = everyone) =>
    balancer.pick(candidates, request(), now, rng);
  return { endpoints, pick };
}

describe("P2cEwma", () => {
  it("equal costs: the one with fewer requests in flight", () => {
    const { endpoints, pick } = fixture([1, 1]);
    endpoints[0]!.active = 1;
    for (let i = 0; i < 50; i++) expect(pick()).toBe(endpoints[1]);
  });

  it("a slow one: cost × (active + 1) decides, not the requests in flight alone", () => {
    const { endpoints, pick } = fixture([1, 1]);
    const [slow, quick] = endpoints;
    slow!.requestStarted(at(0));
    slow!.requestEnded(at(200), at(0), "success");
    // Slow: 200 ms × 1. Quick: 30 ms × e^-0.02 × (active + 1) = 29.4 ms × 6 = 176 ms, × 7 = 206 ms.
    quick!.active = 5;
    for (let i = 0; i < 50; i++) expect(pick(at(200))).toBe(quick);
    quick!.active = 6;
    for (let i = 0; i < 50; i++) expect(pick(at(200))).toBe(slow);
  });

  it("a slow one left alone: its cost decays until it is tried again", () => {
    const { endpoints, pick } = fixture([1, 1]);
    const [slow, quick] = endpoints;
    slow!.requestStarted(at(0));
    slow!.requestEnded(at(3_000), at(0), "success");
    const steady = (now: number) => {
      quick!.requestStarted(at(now - 20));
      quick!.requestEnded(at(now), at(now - 20), "success");
    };
    let tried = Number.POSITIVE_INFINITY;
    for (let now = 3_000; now <= 120_000; now += 100) {
      steady(now);
      if (tried === Number.POSITIVE_INFINITY && pick(at(now)) === slow) tried = now;
    }
    // 3 s × e^(-t / 10 s) falls under the 20 ms of the quick one after 10 s × ln(150) = 50.1 s.
    expect(tried).toBeGreaterThan(52_000);
    expect(tried).toBeLessThan(54_000);
  });

  it("weights 1 3, equal costs, requests that never end: in flight follows the weights", () => {
    const { endpoints, pick } = fixture([1, 3]);
    for (let i = 0; i < 400; i++) pick()!.active++;
    expect(Math.abs(endpoints[0]!.active - 100)).toBeLessThanOrEqual(1);
  });

  it("equal loads: the draw decides, everyone gets its part", () => {
    const { endpoints, pick } = fixture([1, 1, 1, 1]);
    const picks = Array.from({ length: 4_000 }, () => pick());
    for (const endpoint of endpoints) {
      const share = picks.filter((one) => one === endpoint).length;
      // 3 standard deviations: 82.
      expect(Math.abs(share - 1_000)).toBeLessThan(82);
    }
  });

  it("one accepted, or none: that one, or null", () => {
    const { endpoints, pick } = fixture([1, 1, 1]);
    expect(pick(at(0), butFor(endpoints[0]!, endpoints[2]!))).toBe(endpoints[1]);
    expect(pick(at(0), butFor(...endpoints))).toBeNull();
    expect(fixture([]).pick()).toBeNull();
  });
});
