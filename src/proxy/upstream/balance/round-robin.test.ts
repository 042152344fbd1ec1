import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { butFor, endpointsOfWeights, everyone } from "../fixture.ts";
import { RoundRobin } from "./round-robin.ts";

const seed = 20260711;

function sequence(weights: readonly number[], length: number): string {
  const endpoints = endpointsOfWeights(weights);
  const balancer = new RoundRobin(endpoints);
  const picks = Array.from({ length }, () => balancer.pick(everyone)!);
  return picks.map((endpoint) => "abcdefgh"[endpoints.indexOf(endpoint)]).join("");
}

describe("RoundRobin", () => {
  it("equal weights: in turn, in order", () => {
    expect(sequence([1, 1, 1], 7)).toBe("abcabca");
  });

  it("weights 5 1 1: interleaved as nginx documents it", () => {
    expect(sequence([5, 1, 1], 14)).toBe("aabacaa".repeat(2));
  });

  it("weights 3 2 1: the exact sequence, worked by hand", () => {
    // credit before each pick: 3 2 1 | 0 4 2 | 3 0 3 | 0 2 4 | 3 4 -1 | 6 0 0
    expect(sequence([3, 2, 1], 12)).toBe("abacba".repeat(2));
  });

  it("no endpoint, or none accepted: null", () => {
    expect(new RoundRobin([]).pick(everyone)).toBeNull();
    const endpoints = endpointsOfWeights([2, 1]);
    const balancer = new RoundRobin(endpoints);
    expect(balancer.pick(butFor(...endpoints))).toBeNull();
    expect(balancer.pick(everyone)).toBe(endpoints[0]);
  });

  it("one not accepted for a while: the others share, and it gets no arrears afterwards", () => {
    const endpoints = endpointsOfWeights([1, 1, 1]);
    const [a, b, c] = endpoints;
    const balancer = new RoundRobin(endpoints);
    const without = Array.from({ length: 60 }, () => balancer.pick(butFor(a!)));
    expect(without.filter((pick) => pick === b)).toHaveLength(30);
    const after = Array.from({ length: 6 }, () => balancer.pick(everyone));
    for (const endpoint of [a, b, c]) {
      expect(after.filter((pick) => pick === endpoint)).toHaveLength(2);
    }
  });

  it("any weights: each round of as many picks as their sum gives everyone its weight", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 });
    const property = fc.property(weights, (each) => {
      const sum = each.reduce((a, b) => a + b);
      const picks = sequence(each, 3 * sum);
      for (let round = 0; round < 3; round++) {
        const part = picks.slice(round * sum, (round + 1) * sum);
        const counts = each.map((_, i) => part.split("abcdefgh"[i]!).length - 1);
        expect(counts).toEqual(each);
      }
    });
    fc.assert(property, { seed, numRuns: 100 });
  });
});
