import { describe, expect, it } from "vitest";
import { SeededRng } from "../../../core/random.ts";
import { instant } from "../../../core/time.ts";
import type { Endpoint } from "../endpoint.ts";
import { butFor, endpointsOfWeights, everyone, request } from "../fixture.ts";
import { RandomBalancer } from "./random.ts";
import { WeightedDraw } from "./weighted-draw.ts";

const seed = 20260711;

/** Pearson's χ² of the draws against shares in proportion to the weights. */
function chiSquare(draws: readonly Endpoint[], among: readonly Endpoint[]): number {
  const total = among.reduce((sum, { weight }) => sum + weight, 0);
  return among.reduce((sum, endpoint) => {
    const expected = (draws.length * endpoint.weight) / total;
    const got = draws.filter((draw) => draw === endpoint).length;
    return sum + (got - expected) ** 2 / expected;
  }, 0);
}

describe("WeightedDraw", () => {
  const endpoints = endpointsOfWeights([1, 2, 3, 4, 10]);
  const draw = new WeightedDraw(endpoints);

  it("all accepted: shares follow the weights", () => {
    const rng = new SeededRng(seed);
    const draws = Array.from({ length: 20_000 }, () => draw.draw(everyone, rng, null)!);
    // 4 degrees of freedom: 18.47 is exceeded by chance once in a thousand seeds.
    expect(chiSquare(draws, endpoints)).toBeLessThan(18.47);
  });

  it("the heaviest not accepted: the others' shares follow their weights", () => {
    const rng = new SeededRng(seed);
    const candidates = butFor(endpoints[4]!, endpoints[1]!);
    const draws = Array.from({ length: 20_000 }, () => draw.draw(candidates, rng, null)!);
    // 2 degrees of freedom.
    expect(chiSquare(draws, [endpoints[0]!, endpoints[2]!, endpoints[3]!])).toBeLessThan(13.82);
    expect(draws.every((endpoint) => candidates.accepts(endpoint))).toBe(true);
  });

  it("one that is excepted: never drawn, and null when it is the only one", () => {
    const rng = new SeededRng(seed);
    const [first, second] = endpoints;
    for (let i = 0; i < 1_000; i++) expect(draw.draw(everyone, rng, first!)).not.toBe(first);
    const onlySecond = butFor(first!, ...endpoints.slice(2));
    for (let i = 0; i < 100; i++) expect(draw.draw(onlySecond, rng, null)).toBe(second);
    expect(draw.draw(onlySecond, rng, second!)).toBeNull();
  });

  it("nobody there: null", () => {
    expect(new WeightedDraw([]).draw(everyone, new SeededRng(seed), null)).toBeNull();
  });
});

describe("RandomBalancer", () => {
  it("same seed: same picks; another seed: others", () => {
    const endpoints = endpointsOfWeights([1, 1, 2]);
    const balancer = new RandomBalancer(endpoints);
    const run = (from: number) => {
      const rng = new SeededRng(from);
      const pick = () => endpoints.indexOf(balancer.pick(everyone, request(), instant(0), rng)!);
      return Array.from({ length: 50 }, pick).join("");
    };
    expect(run(1)).toBe(run(1));
    expect(run(1)).not.toBe(run(2));
  });
});
