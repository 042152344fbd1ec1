import { describe, expect, it } from "vitest";
import { instant } from "../../core/time.ts";
import {
  IdleConnection,
  NamesOnlyTransport,
  request,
  type SettingsPatch,
  upstreamSettings,
} from "./fixture.ts";
import { Upstream } from "./upstream.ts";

function fixture(patch: SettingsPatch) {
  const transport = new NamesOnlyTransport();
  const notices: string[] = [];
  const upstream = new Upstream(upstreamSettings(patch), transport, (message) => {
    notices.push(message);
  });
  const addresses = () => upstream.snapshot(transport.now()).endpoints.map((one) => one.address);
  const pick = () => upstream.pick(request(), [], transport.now());
  return { transport, upstream, notices, addresses, pick };
}

describe("Upstream with names", () => {
  it("before start: endpoints by address are there, those by name are not", async () => {
    const { transport, upstream, addresses } = fixture({ endpoints: ["10.0.0.9:80", "app:81"] });
    transport.names.set("app", ["10.0.0.1", "::2"]);
    expect(addresses()).toEqual(["10.0.0.9:80"]);
    await upstream.start();
    expect(addresses()).toEqual(["10.0.0.9:80", "10.0.0.1:81", "[::2]:81"]);
    expect(upstream.endpoints.map(({ name }) => name)).toEqual(["10.0.0.9:80", "app:81", "app:81"]);
  });

  it("two ports of one name: asked for once", async () => {
    const { transport, upstream, addresses } = fixture({ endpoints: ["app:80", "app:81"] });
    transport.names.set("app", ["10.0.0.1"]);
    await upstream.start();
    expect(transport.asked).toHaveLength(1);
    expect(addresses()).toEqual(["10.0.0.1:80", "10.0.0.1:81"]);
  });

  it("resolved: asked again after resolveEvery, not before", async () => {
    const { transport, upstream } = fixture({ endpoints: ["app:80"] });
    transport.names.set("app", ["10.0.0.1"]);
    await upstream.start();
    await transport.pass(29_900);
    expect(transport.asked).toHaveLength(1);
    await transport.pass(200);
    expect(transport.asked).toHaveLength(2);
    await transport.pass(30_100);
    expect(transport.asked).toHaveLength(3);
  });

  it("the same addresses in another order: nothing changes, the balance goes on", async () => {
    const { transport, upstream, pick } = fixture({ endpoints: ["app:80"] });
    transport.names.set("app", ["10.0.0.1", "10.0.0.2"]);
    await upstream.start();
    const endpoints = upstream.endpoints;
    expect(pick()).toBe(endpoints[0]);
    transport.names.set("app", ["10.0.0.2", "10.0.0.1"]);
    await transport.pass(30_100);
    expect(transport.asked).toHaveLength(2);
    expect(upstream.endpoints).toBe(endpoints);
    expect(pick()).toBe(endpoints[1]);
  });

  it("addresses change: who stays keeps state and pool, who left is retired, who came is picked", async () => {
    const { transport, upstream, pick } = fixture({ endpoints: ["app:80"] });
    transport.names.set("app", ["10.0.0.1", "10.0.0.2"]);
    await upstream.start();
    const [leaver, stayer] = upstream.endpoints;
    const idle = [new IdleConnection(), new IdleConnection()];
    leaver!.pool.put(idle[0]!, instant(0));
    stayer!.pool.put(idle[1]!, instant(0));
    leaver!.connectionOpening();
    stayer!.connectFailed(instant(0));
    transport.names.set("app", ["10.0.0.2", "10.0.0.3"]);
    await transport.pass(30_100);

    expect([leaver!.retired, idle[0]!.retired]).toEqual([true, 1]);
    expect([upstream.endpoints[0], stayer!.fails, idle[1]!.retired]).toEqual([stayer, 1, 0]);
    const picked = new Set([pick(), pick(), pick(), pick()]);
    expect(picked).toEqual(new Set(upstream.endpoints));
    expect(picked.has(leaver!)).toBe(false);
  });

  it("one that left with a connection open: listed as removed until that is closed", async () => {
    const { transport, upstream } = fixture({ endpoints: ["app:80"] });
    transport.names.set("app", ["10.0.0.1"]);
    await upstream.start();
    const leaver = upstream.endpoints[0]!;
    leaver.connectionOpening();
    transport.names.set("app", ["10.0.0.2"]);
    await transport.pass(30_100);
    const states = () =>
      upstream.snapshot(transport.now()).endpoints.map(({ address, state }) => [address, state]);
    expect(states()).toEqual([
      ["10.0.0.2:80", "up"],
      ["10.0.0.1:80", "removed"],
    ]);
    leaver.connectionClosed();
    expect(states()).toEqual([["10.0.0.2:80", "up"]]);
  });

  it("resolving fails later on: the old addresses stay, one notice, asked sooner, one notice at the end", async () => {
    const { transport, upstream, notices, addresses } = fixture({ endpoints: ["app:80"] });
    transport.names.set("app", ["10.0.0.1"]);
    await upstream.start();
    transport.names.delete("app");
    await transport.pass(45_000);
    expect(addresses()).toEqual(["10.0.0.1:80"]);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatch(/^upstream app: cannot resolve app: its last 1 stay in use \(.+\)$/);
    transport.names.set("app", ["10.0.0.2"]);
    await transport.pass(15_000);
    expect(addresses()).toEqual(["10.0.0.2:80"]);
    expect(notices[1]).toBe("upstream app: app resolves again");
  });

  it("an answer without addresses: a failure like any other", async () => {
    const { transport, upstream, notices, addresses } = fixture({ endpoints: ["app:80"] });
    transport.names.set("app", ["10.0.0.1"]);
    await upstream.start();
    transport.names.set("app", []);
    await transport.pass(30_100);
    expect([addresses(), notices.length]).toEqual([["10.0.0.1:80"], 1]);
  });

  it("the first answer is a failure: start settles, and waits grow from 1 s to resolveEvery", async () => {
    const { transport, upstream, notices } = fixture({ endpoints: ["app:80"] });
    await upstream.start();
    expect(upstream.endpoints).toEqual([]);
    expect(upstream.pick(request(), [], transport.now())).toBeNull();
    expect(upstream.saturated).toBe(false);
    await transport.pass(200_000);
    const waits = transport.asked.map(
      ({ at }, i) => (at - (transport.asked[i - 1]?.at ?? 0)) / 1e6,
    );
    [1, 2, 4, 8, 16, 30, 30].forEach((usual, i) => {
      expect(waits[i + 1]).toBeGreaterThanOrEqual(usual * 0.75);
      expect(waits[i + 1]).toBeLessThanOrEqual(usual * 1.25 + 0.02);
    });
    expect(notices).toHaveLength(1);
  });

  it("a request waits when a name gets new addresses: it hears of the room", async () => {
    const { transport, upstream, pick } = fixture({
      endpoints: ["app:80"],
      limits: { connectionsPerEndpoint: 1 },
    });
    transport.names.set("app", ["10.0.0.1"]);
    await upstream.start();
    upstream.endpoints[0]!.connectionOpening();
    expect(pick()).toBeNull();
    let woken = 0;
    upstream.enqueue({ onCapacity: () => woken++ });
    transport.names.set("app", ["10.0.0.1", "10.0.0.2"]);
    await transport.pass(30_100);
    expect(woken).toBe(1);
  });

  it("stopped: nothing is asked any more, and an answer that comes late changes nothing", async () => {
    const { transport, upstream } = fixture({ endpoints: ["app:80"] });
    transport.names.set("app", ["10.0.0.1"]);
    const started = upstream.start();
    upstream.stop();
    await started;
    expect(upstream.endpoints).toEqual([]);
    await transport.pass(120_000);
    expect([transport.asked.length, transport.timers]).toEqual([1, 0]);
  });
});
