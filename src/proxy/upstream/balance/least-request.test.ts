import { describe, expect, it } from "vitest";
import { SeededRng } from "../../../core/random.ts";
import { instant } from "../../../core/time.ts";
import type { Endpoint } from "../endpoint.ts";
import { butFor, endpointsOfWeights, everyone, request } from "../fixture.ts";
import { LeastRequest } from "./least-request.ts";

const seed = 20260711;
const now = instant(0);

function fixture(weights: readonly number[], active: readonly number[] = []) {
  const endpoints = endpointsOfWeights(weights);
  active.forEach((count, i) => {
    endpoints[i]!.active = count;
  });
  const balancer = new LeastRequest(endpoints);
  const rng = new SeededRng(seed);
  const pick = (candidates = everyone) => balancer.pick(candidates, request(), now, rng);
  return { endpoints, pick };
}

const count = (picks: readonly (Endpoint | null)[], endpoint: Endpoint) =>
  picks.filter((pick) => pick === endpoint).length;

describe("LeastRequest", () => {
  it("few endpoints: the one with the fewest requests for its weight, always", () => {
    const { endpoints, pick } = fixture([1, 2, 4], [3, 5, 11]);
    // 3/1, 5/2, 11/4
    for (let i = 0; i < 50; i++) expect(pick()).toBe(endpoints[1]);
    expect(pick(butFor(endpoints[1]!))).toBe(endpoints[2]);
  });

  it("few endpoints, none busy: by chance, in proportion to the weights", () => {
    const { endpoints, pick } = fixture([1, 2, 3]);
    const picks = Array.from({ length: 6_000 }, () => pick());
    const shares = endpoints.map((endpoint) => count(picks, endpoint));
    // 3 standard deviations of a binomial share: 87, 110, 116.
    expect(Math.abs(shares[0]! - 1_000)).toBeLessThan(87);
    expect(Math.abs(shares[1]! - 2_000)).toBeLessThan(110);
    expect(Math.abs(shares[2]! - 3_000)).toBeLessThan(116);
  });

  it("few endpoints, requests that never end: in flight follows the weights to within one", () => {
    const { endpoints, pick } = fixture([1, 2, 3]);
    for (let i = 0; i < 600; i++) pick()!.active++;
    expect(endpoints.map(({ active }) => active)).toEqual([100, 200, 300]);
  });

  it("many endpoints: the fullest is never picked, the emptiest more often than chance alone", () => {
    const { endpoints, pick } = fixture(
      new Array<number>(20).fill(1),
      Array.from({ length: 20 }, (_, i) => i),
    );
    const picks = Array.from({ length: 10_000 }, () => pick());
    expect(count(picks, endpoints[19]!)).toBe(0);
    // Picked whenever it is one of the two: 2/20.
    expect(Math.abs(count(picks, endpoints[0]!) - 1_000)).toBeLessThan(90);
  });

  it("many endpoints, requests that never end: in flight stays close together", () => {
    const { endpoints, pick } = fixture(new Array<number>(50).fill(1));
    for (let i = 0; i < 5_000; i++) pick()!.active++;
    const active = endpoints.map((endpoint) => endpoint.active);
    // Two choices: a gap of about log log n; one choice would be some 30 above the mean.
    expect(Math.max(...active)).toBeLessThanOrEqual(104);
  });

  it("one accepted, or none: that one, or null", () => {
    for (const size of [3, 20]) {
      const { endpoints, pick } = fixture(new Array<number>(size).fill(1));
      expect(pick(butFor(...endpoints.slice(1)))).toBe(endpoints[0]);
      expect(pick(butFor(...endpoints))).toBeNull();
    }
    expect(fixture([]).pick()).toBeNull();
  });
});
