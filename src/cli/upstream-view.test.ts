import { expect, test } from "vitest";
import { micros } from "../core/time.ts";
import type { ServerSnapshot } from "../proxy/server.ts";
import type { EndpointSnapshot } from "../proxy/upstream/upstream.ts";
import { mergeUpstreams } from "./upstream-view.ts";

const endpoint: EndpointSnapshot = {
  name: "app.test:80",
  address: "127.0.0.1:80",
  state: "up",
  weight: 2,
  active: 1,
  connections: 3,
  idle: 2,
  fails: 0,
  ewma: micros(1_000),
};

function snapshot(...endpoints: readonly EndpointSnapshot[]): ServerSnapshot {
  const upstream = { name: "app", balance: "random", waiting: 1, endpoints } as const;
  return { draining: false, connections: 0, listeners: [], upstreams: [upstream] };
}

test("two workers that see one endpoint, merged, are added up", () => {
  const worse = { ...endpoint, fails: 4, ewma: micros(2_000) };
  const { workers, upstreams } = mergeUpstreams([snapshot(endpoint), snapshot(worse)]);
  expect(workers).toBe(2);
  expect(upstreams).toMatchObject([
    {
      name: "app",
      waiting: 2,
      endpoints: [
        {
          active: 2,
          connections: 6,
          idle: 4,
          weight: 2,
          fails: 4,
          ewma_ms: 1.5,
          states: { up: 2 },
        },
      ],
    },
  ]);
});

test("an endpoint that one worker alone resolved, merged, stands beside the other", () => {
  const moved = { ...endpoint, address: "127.0.0.2:80" };
  const { upstreams } = mergeUpstreams([snapshot(endpoint), snapshot(endpoint, moved)]);
  expect(upstreams[0]!.endpoints.map(({ address, states }) => [address, states])).toEqual([
    ["127.0.0.1:80", { up: 2 }],
    ["127.0.0.2:80", { up: 1 }],
  ]);
});

test("no worker that answers, merged, is an empty list", () => {
  expect(mergeUpstreams([])).toEqual({ workers: 0, upstreams: [] });
});
