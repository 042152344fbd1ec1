import { describe, expect, it } from "vitest";
import { SeededRng } from "../../../core/random.ts";
import { instant } from "../../../core/time.ts";
import type { HashSource } from "../../settings.ts";
import type { Endpoint } from "../endpoint.ts";
import { butFor, endpointsOfWeights, everyone, request } from "../fixture.ts";
import type { Candidates } from "./balancer.ts";
import { ConsistentHash } from "./consistent-hash.ts";
import { hashText } from "./hash.ts";
import { HashRing } from "./hash-ring.ts";

const seed = 20260711;
const keys = Array.from({ length: 20_000 }, (_, i) => hashText(`user-${i}`));

const owners = (endpoints: readonly Endpoint[], candidates: Candidates = everyone) => {
  const ring = new HashRing(endpoints);
  return keys.map((key) => ring.find(key, candidates)!);
};

describe("HashRing", () => {
  it("weights 1 2 3: 160 points a unit, and the keys' shares follow", () => {
    const endpoints = endpointsOfWeights([1, 2, 3]);
    expect(new HashRing(endpoints).size).toBe(6 * 160);
    const found = owners(endpoints);
    endpoints.forEach((endpoint, i) => {
      const share = found.filter((owner) => owner === endpoint).length / keys.length;
      // A share is the sum of 160 × weight arcs: its relative spread is about 1 / √(160 × weight).
      expect(Math.abs(share / ((i + 1) / 6) - 1)).toBeLessThan(0.2);
    });
  });

  it("one of ten removed: its keys alone move, and they spread over the others", () => {
    const endpoints = endpointsOfWeights(new Array<number>(10).fill(1));
    const removed = endpoints[3]!;
    const rest = endpoints.filter((endpoint) => endpoint !== removed);
    const before = owners(endpoints);
    const after = owners(rest);
    const moved = before.filter((owner, i) => owner !== after[i]);
    expect(moved.every((owner) => owner === removed)).toBe(true);
    expect(moved.length / keys.length).toBeGreaterThan(0.07);
    expect(moved.length / keys.length).toBeLessThan(0.13);
    const heirs = new Set(after.filter((_, i) => before[i] === removed));
    expect(heirs.size).toBe(9);
  });

  it("one not accepted: the same as if it were removed", () => {
    const endpoints = endpointsOfWeights([1, 1, 2, 1]);
    const away = endpoints[2]!;
    const rest = endpoints.filter((endpoint) => endpoint !== away);
    expect(owners(endpoints, butFor(away))).toEqual(owners(rest));
  });

  it("a weight that grows: keys move to that endpoint and to no other", () => {
    const before = owners(endpointsOfWeights([1, 1, 1]));
    const after = owners(endpointsOfWeights([1, 1, 2]));
    const arrivals = after.filter((owner, i) => owner.name !== before[i]!.name);
    expect(arrivals.length).toBeGreaterThan(0);
    expect(new Set(arrivals.map(({ name }) => name))).toEqual(new Set(["10.0.0.2:80"]));
  });

  it("other order of the same endpoints: the same owners", () => {
    const endpoints = endpointsOfWeights([1, 2, 1, 1]);
    expect(owners([...endpoints].reverse())).toEqual(owners(endpoints));
  });

  it("huge weights: at most 2^18 points, everyone has some, shares still follow", () => {
    const endpoints = endpointsOfWeights([10_000, 30_000, 1]);
    const ring = new HashRing(endpoints);
    expect(ring.size).toBeLessThanOrEqual(2 ** 18);
    const found = owners(endpoints);
    const share = found.filter((owner) => owner === endpoints[0]).length / keys.length;
    expect(Math.abs(share - 0.25)).toBeLessThan(0.02);
  });

  it("the largest hash: around the end to the first point", () => {
    const endpoints = endpointsOfWeights([1, 1]);
    const ring = new HashRing(endpoints);
    expect(ring.find(0xffff_ffff, everyone)).toBe(ring.find(0, everyone));
  });

  it("none there, or none accepted: null", () => {
    expect(new HashRing([]).find(1, everyone)).toBeNull();
    const endpoints = endpointsOfWeights([1, 1]);
    expect(new HashRing(endpoints).find(1, butFor(...endpoints))).toBeNull();
  });
});

describe("ConsistentHash", () => {
  const endpoints = endpointsOfWeights(new Array<number>(8).fill(1));
  const now = instant(0);

  function picks(on: HashSource, requests: readonly ReturnType<typeof request>[]) {
    const balancer = new ConsistentHash(endpoints, on);
    const rng = new SeededRng(seed);
    return requests.map((input) => balancer.pick(everyone, input, now, rng)!);
  }

  const same = (found: readonly Endpoint[]) => new Set(found).size === 1;

  it("on a header, a cookie, the client's address: equal keys go to one endpoint", () => {
    const header = { kind: "header", name: "X-User" } as const;
    const cookie = { kind: "cookie", name: "sid" } as const;
    const client = { kind: "client-address" } as const;
    for (const value of ["alice", "bob", ""]) {
      const inputs = ["1", "2", "3", "4"].map((n) => ({ from: `192.0.2.${n}` }));
      const byHeader = inputs.map((from) => request({ ...from, header: { "x-user": value } }));
      const byCookie = inputs.map((from) => request({ ...from, cookie: { sid: value } }));
      expect(same(picks(header, byHeader))).toBe(true);
      expect(same(picks(cookie, byCookie))).toBe(true);
      expect(same(picks(client, byHeader))).toBe(false);
    }
    expect(same(picks(client, new Array(20).fill(request({ from: "192.0.2.7" }))))).toBe(true);
  });

  it("without the header or cookie: by chance, over all endpoints", () => {
    const none = new Array(400).fill(request());
    expect(new Set(picks({ kind: "header", name: "x-user" }, none)).size).toBe(8);
    expect(new Set(picks({ kind: "cookie", name: "sid" }, none)).size).toBe(8);
  });
});
