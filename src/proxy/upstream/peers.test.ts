import { describe, expect, it } from "vitest";
import { parseIp } from "../../core/address.ts";
import { NetError } from "../../core/errors.ts";
import { seconds } from "../../core/time.ts";
import { IdleConnection, NamesOnlyTransport, upstreamSettings } from "./fixture.ts";
import { byAddress, PeerTable } from "./peers.ts";

function fixture(max = 1024) {
  const transport = new NamesOnlyTransport();
  const table = new PeerTable(transport, max, upstreamSettings());
  const endpoint = (address: string) => table.endpoint({ address });
  return { transport, table, endpoint };
}

describe("PeerTable", () => {
  it("the same address, however written: the same endpoint", () => {
    const { table, endpoint } = fixture();
    const one = endpoint("[::1]:80");
    expect(endpoint("[0:0::1]:80")).toBe(one);
    expect(table.endpoint({ address: { kind: "ip", ip: parseIp("::1")!, port: 80 } })).toBe(one);
    expect(endpoint("[::1]:81")).not.toBe(one);
    expect([one.name, one.address, table.size]).toEqual([
      "[::1]:80",
      { kind: "ip", ip: "::1", port: 80 },
      2,
    ]);
    expect(endpoint("unix:/run/x").address).toEqual({ kind: "unix", path: "/run/x" });
  });

  it("what is no address: a NetError that is ours and says what is expected", () => {
    const { endpoint } = fixture();
    for (const text of ["example.com:80", "127.0.0.1", ":80", ""]) {
      expect(() => endpoint(text)).toThrow(NetError);
      expect(() => endpoint(text)).toThrow(/expected IP:port/);
    }
  });

  it("no overrides: the defaults themselves", () => {
    const transport = new NamesOnlyTransport();
    const table = new PeerTable(transport);
    const settings = table.settings({ address: "127.0.0.1:80" });
    expect(table.settings({ address: "127.0.0.1:81" })).toBe(settings);
    expect([settings.name, table.endpoint({ address: "127.0.0.1:80" }).upstream]).toEqual([
      byAddress,
      byAddress,
    ]);
  });

  it("overrides: merged with the defaults, and kept while they are the same", () => {
    const { table } = fixture();
    const timeouts = { firstByte: seconds(1) };
    const peer = { address: "127.0.0.1:80", timeouts, host: "app.test" };
    const settings = table.settings(peer);
    expect(settings.timeouts).toEqual({ ...upstreamSettings().timeouts, firstByte: seconds(1) });
    expect(settings.host).toEqual({ literal: "app.test" });
    expect(table.settings({ ...peer })).toBe(settings);
    expect(table.settings({ address: "127.0.0.1:80" }).host).toBe("preserve");
    expect(table.settings({ ...peer, host: "other.test" }).host).toEqual({ literal: "other.test" });
  });

  it("full: the least recently asked for of the unused goes", () => {
    const { table, endpoint } = fixture(3);
    const [a, b, c] = ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"].map(endpoint);
    expect(endpoint("127.0.0.1:1")).toBe(a);
    endpoint("127.0.0.1:4");
    expect([a!.retired, b!.retired, c!.retired, table.size]).toEqual([false, true, false, 3]);
    expect(endpoint("127.0.0.1:2")).not.toBe(b);
  });

  it("full of connections: one without a request goes, and its idle connections are closed", () => {
    const { transport, table, endpoint } = fixture(2);
    const [a, b] = ["127.0.0.1:1", "127.0.0.1:2"].map(endpoint);
    for (const one of [a!, b!]) one.connectionOpening();
    a!.requestStarted(transport.now());
    const idle = new IdleConnection();
    b!.pool.put(idle, transport.now());
    const c = endpoint("127.0.0.1:3");
    expect([a!.retired, b!.retired, c.retired, idle.retired]).toEqual([false, true, false, 1]);
    expect(table.size).toBe(2);
  });

  it("full of requests: none goes, the table is over its size until one can", () => {
    const { transport, table, endpoint } = fixture(2);
    const busy = ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"].map((address) => {
      const one = endpoint(address);
      one.connectionOpening();
      one.requestStarted(transport.now());
      return one;
    });
    expect(table.size).toBe(3);
    for (const one of busy) {
      one.connectionClosed();
      one.requestEnded(transport.now(), transport.now(), "success");
    }
    endpoint("127.0.0.1:4");
    expect([table.size, busy.map(({ retired }) => retired)]).toEqual([2, [true, true, false]]);
  });

  it("idle connections: closed after the peer's own idle timeout", async () => {
    const { transport, table, endpoint } = fixture();
    const usual = endpoint("127.0.0.1:1");
    const short = table.endpoint({ address: "127.0.0.1:2", timeouts: { idle: seconds(2) } });
    const idle = [new IdleConnection(), new IdleConnection()];
    usual.pool.put(idle[0]!, transport.now());
    short.pool.put(idle[1]!, transport.now());
    await transport.pass(1_900);
    expect(idle.map(({ retired }) => retired)).toEqual([0, 0]);
    await transport.pass(220);
    expect(idle.map(({ retired }) => retired)).toEqual([0, 1]);
    await transport.pass(57_700);
    expect(idle[0]!.retired).toBe(0);
    await transport.pass(400);
    expect(idle[0]!.retired).toBe(1);
  });

  it("stopped: idle connections are closed, no timer is left", () => {
    const { transport, table, endpoint } = fixture();
    const idle = new IdleConnection();
    endpoint("127.0.0.1:1").pool.put(idle, transport.now());
    table.stop();
    expect([idle.retired, transport.timers]).toEqual([1, 0]);
  });
});
