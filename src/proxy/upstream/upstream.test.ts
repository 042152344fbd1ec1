import { describe, expect, it } from "vitest";
import { below, SeededRng } from "../../core/random.ts";
import { instant, seconds } from "../../core/time.ts";
import type { BalanceSettings } from "../settings.ts";
import {
  IdleConnection,
  NamesOnlyTransport,
  request,
  type SettingsPatch,
  upstreamSettings,
} from "./fixture.ts";
import { Upstream } from "./upstream.ts";

const three = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"];

const balances: readonly BalanceSettings[] = [
  { kind: "round-robin" },
  { kind: "random" },
  { kind: "least-request" },
  { kind: "p2c-ewma" },
  { kind: "consistent-hash", on: { kind: "client-address" } },
];

function fixture(patch: SettingsPatch = {}) {
  const transport = new NamesOnlyTransport();
  const upstream = new Upstream(upstreamSettings({ endpoints: three, ...patch }), transport);
  const [a, b, c] = upstream.endpoints;
  const pick = (...tried: (typeof upstream.endpoints)[number][]) =>
    upstream.pick(request(), tried, transport.now());
  const fill = (endpoint = a!) => {
    while (endpoint.connections < upstream.settings.limits.connectionsPerEndpoint) {
      endpoint.connectionOpening();
    }
  };
  const down = (endpoint = a!) => {
    while (endpoint.state(transport.now()) === "up") endpoint.connectFailed(transport.now());
  };
  return { transport, upstream, a: a!, b: b!, c: c!, pick, fill, down };
}

describe.each(balances)("Upstream.pick with $kind", (balance) => {
  it("one was tried: another, as long as there is one", () => {
    const { a, b, c, pick } = fixture({ balance });
    for (let i = 0; i < 20; i++) {
      expect([b, c]).toContain(pick(a));
      expect(pick(a, b)).toBe(c);
    }
  });

  it("all were tried: one of them again", () => {
    const { a, b, c, pick } = fixture({ balance });
    expect([a, b, c]).toContain(pick(a, b, c));
  });

  it("one is down: left alone, even when the others were tried", () => {
    const { a, b, c, pick, down } = fixture({ balance });
    down(a);
    for (let i = 0; i < 20; i++) expect([b, c]).toContain(pick());
    for (let i = 0; i < 20; i++) expect([b, c]).toContain(pick(b, c));
  });

  it("all are down: one that was not tried, else any", () => {
    const { a, b, c, pick, down } = fixture({ balance });
    for (const endpoint of [a, b, c]) down(endpoint);
    expect([a, b, c]).toContain(pick());
    expect(pick(a, c)).toBe(b);
    expect([a, b, c]).toContain(pick(a, b, c));
  });

  it("one at its limit: passed over; with an idle connection it is not", () => {
    const { a, b, c, pick, fill } = fixture({ balance });
    fill(a);
    fill(b);
    for (let i = 0; i < 20; i++) expect(pick()).toBe(c);
    fill(c);
    b.pool.put(new IdleConnection(), instant(0));
    for (let i = 0; i < 20; i++) expect(pick()).toBe(b);
  });

  it("all at their limit: null and saturated; room again: not saturated", () => {
    const { upstream, a, b, c, pick, fill } = fixture({ balance });
    for (const endpoint of [a, b, c]) fill(endpoint);
    expect([pick(), upstream.saturated]).toEqual([null, true]);
    b.connectionClosed();
    expect([pick(), upstream.saturated]).toEqual([b, false]);
  });

  it("those up at their limit, one down with room: null, waiting is worth more", () => {
    const { upstream, a, b, c, pick, fill, down } = fixture({ balance });
    down(a);
    fill(b);
    fill(c);
    expect([pick(), upstream.saturated]).toEqual([null, true]);
  });
});

describe("Upstream", () => {
  it("no endpoints: null, and not saturated", () => {
    const { upstream, pick } = fixture({ endpoints: [] });
    expect([pick(), upstream.saturated]).toEqual([null, false]);
  });

  it("down for failTimeout: then one trial, which decides", async () => {
    const { transport, a, b, c, pick, down } = fixture();
    down(a);
    await transport.pass(9_900);
    expect([pick(), pick(), pick(), pick()]).not.toContain(a);
    await transport.pass(100);
    const picks = Array.from({ length: 6 }, () => {
      const picked = pick()!;
      picked.requestStarted(transport.now());
      return picked;
    });
    expect(picks.filter((picked) => picked === a)).toHaveLength(1);
    expect(picks.filter((picked) => picked === b || picked === c)).toHaveLength(5);
    a.connectSucceeded();
    expect(Array.from({ length: 6 }, () => pick())).toContain(a);
  });

  it("waiters: woken one at a time, in order, as room comes", () => {
    const { upstream, a, b, c, pick, fill } = fixture();
    for (const endpoint of [a, b, c]) fill(endpoint);
    const woken: string[] = [];
    for (const name of ["first", "second", "third"]) {
      const waiter = {
        onCapacity() {
          woken.push(name);
          pick()!.connectionOpening();
        },
      };
      expect(upstream.enqueue(waiter)).toBe(true);
    }
    expect(upstream.enqueue({ onCapacity() {} })).toBe(false);
    upstream.released(a);
    expect(woken).toEqual([]);
    b.connectionClosed();
    upstream.released(b);
    expect(woken).toEqual(["first"]);
    a.connectionClosed();
    c.connectionClosed();
    upstream.released(c);
    expect(woken).toEqual(["first", "second", "third"]);
  });

  it("a waiter that makes no use of the room: the next one is woken", () => {
    const { upstream, a, b, c, fill } = fixture();
    for (const endpoint of [a, b, c]) fill(endpoint);
    let woken = 0;
    upstream.enqueue({ onCapacity: () => woken++ });
    upstream.enqueue({ onCapacity: () => woken++ });
    a.connectionClosed();
    upstream.released(a);
    expect(woken).toBe(2);
  });

  it("a waiter that left: not woken, and its place is free", () => {
    const { upstream, a, b, c, fill } = fixture({ limits: { pending: 1 } });
    for (const endpoint of [a, b, c]) fill(endpoint);
    let woken = 0;
    const waiter = { onCapacity: () => woken++ };
    upstream.enqueue(waiter);
    upstream.dequeue(waiter);
    const next = { onCapacity: () => a.connectionOpening() };
    expect(upstream.enqueue(next)).toBe(true);
    a.connectionClosed();
    upstream.released(a);
    expect([woken, a.hasCapacity]).toEqual([0, false]);
  });

  it("a waiter releases while it is woken: the depth of the stack does not grow with the line", () => {
    const { upstream, a, b, c, fill } = fixture({ limits: { pending: 5_000 } });
    for (const endpoint of [a, b, c]) fill(endpoint);
    let depth = 0;
    let deepest = 0;
    let woken = 0;
    for (let i = 0; i < 5_000; i++) {
      upstream.enqueue({
        onCapacity() {
          depth++;
          woken++;
          deepest = Math.max(deepest, depth);
          upstream.released(a);
          depth--;
        },
      });
    }
    a.connectionClosed();
    upstream.released(a);
    expect([woken, deepest]).toEqual([5_000, 1]);
  });

  it("a waiter throws: the others are woken by the next release", () => {
    const { upstream, a, b, c, fill } = fixture();
    for (const endpoint of [a, b, c]) fill(endpoint);
    let woken = 0;
    upstream.enqueue({
      onCapacity() {
        throw new Error("broken");
      },
    });
    upstream.enqueue({ onCapacity: () => woken++ });
    a.connectionClosed();
    expect(() => upstream.released(a)).toThrow("broken");
    upstream.released(a);
    expect(woken).toBe(1);
  });

  it("idle connections: closed when their timeout is over, at most 100 ms and a tick late", async () => {
    const { transport, upstream, a, b } = fixture({ timeouts: { idle: seconds(5) } });
    await upstream.start();
    const [early, late] = [new IdleConnection(), new IdleConnection()];
    await transport.pass(1_000);
    a.pool.put(early, transport.now());
    await transport.pass(1_550);
    b.pool.put(late, transport.now());
    await transport.pass(3_440);
    expect([early.retired, late.retired]).toEqual([0, 0]);
    await transport.pass(120);
    expect([early.retired, late.retired]).toEqual([1, 0]);
    await transport.pass(1_420);
    expect(late.retired).toBe(0);
    await transport.pass(130);
    expect(late.retired).toBe(1);
  });

  it("stopped: idle connections are closed, no timer is left", async () => {
    const { transport, upstream, a } = fixture();
    await upstream.start();
    const idle = new IdleConnection();
    a.pool.put(idle, transport.now());
    upstream.stop();
    expect([idle.retired, transport.timers]).toEqual([1, 0]);
  });

  it("snapshot: plain data, with the figures of each endpoint", () => {
    const { upstream, a, transport, down } = fixture({ endpoints: ["10.0.0.1:80*3", "unix:/x"] });
    a.connectionOpening();
    a.connectionOpening();
    a.requestStarted(transport.now());
    a.pool.put(new IdleConnection(), transport.now());
    down(upstream.endpoints[1]);
    const snapshot = upstream.snapshot(transport.now());
    expect(structuredClone(snapshot)).toEqual({
      name: "app",
      balance: "round-robin",
      waiting: 0,
      endpoints: [
        {
          name: "10.0.0.1:80",
          address: "10.0.0.1:80",
          state: "up",
          weight: 3,
          active: 1,
          connections: 2,
          idle: 1,
          fails: 0,
          ewma: 30_000,
        },
        {
          name: "unix:/x",
          address: "unix:/x",
          state: "down",
          weight: 1,
          active: 0,
          connections: 0,
          idle: 0,
          fails: 3,
          ewma: 30_000,
        },
      ],
    });
  });

  it.each(balances)(
    "random work with $kind: never over a limit, and nobody waits beside room",
    (balance) => {
      const rng = new SeededRng(20260711);
      const { transport, upstream, pick } = fixture({ balance, limits: { pending: 50 } });
      const { connectionsPerEndpoint } = upstream.settings.limits;
      const running: (typeof upstream.endpoints)[number][] = [];
      let waiting = 0;
      const run = (): boolean => {
        const endpoint = pick();
        if (endpoint === null) return false;
        endpoint.requestStarted(transport.now());
        if (endpoint.pool.take() === null) endpoint.connectionOpening();
        running.push(endpoint);
        return true;
      };
      for (let i = 0; i < 5_000; i++) {
        if (below(rng, 2) === 0) {
          const waiter = {
            onCapacity() {
              waiting--;
              expect(run()).toBe(true);
            },
          };
          if (!run() && upstream.saturated && upstream.enqueue(waiter)) waiting++;
        } else if (running.length > 0) {
          const endpoint = running.splice(below(rng, running.length), 1)[0]!;
          endpoint.requestEnded(transport.now(), transport.now(), "success");
          if (below(rng, 3) === 0) endpoint.connectionClosed();
          else {
            const kept = new IdleConnection();
            kept.onRetire = () => endpoint.connectionClosed();
            endpoint.pool.put(kept, transport.now());
          }
          upstream.released(endpoint);
        }
        for (const { connections, active, pool } of upstream.endpoints) {
          expect(connections).toBeLessThanOrEqual(connectionsPerEndpoint);
          expect(connections).toBe(active + pool.size);
        }
        const room = upstream.endpoints.some((endpoint) => endpoint.hasCapacity);
        expect(room && waiting > 0).toBe(false);
        expect(upstream.snapshot(transport.now()).waiting).toBe(waiting);
      }
    },
  );
});
