import { describe, expect, test } from "vitest";
import { seconds } from "../../core/time.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import type { IcmpError, Path } from "./ip-layer.ts";
import { plateauBelow } from "./path-mtu.ts";
import { Host, ip } from "./testing/host.ts";
import { datagram, icmpv4, icmpv6, packetBytes } from "./testing/packets.ts";

const ROUTER4 = "10.0.0.254";
const ROUTER6 = "2001:db8::254";

function host(known: (error: IcmpError) => boolean = () => true, limits = {}): Host {
  const made = new Host([{ name: "eth0", addresses: ["10.0.0.1/24", "2001:db8::1/64"] }], limits);
  made.internet.register({
    protocol: IpProtocol.udp,
    handlePacket: () => "taken",
    handleIcmpError: known,
  });
  return made;
}

const path = (of: Host, to: string): Path => {
  const found = of.internet.resolve(ip(to));
  if (typeof found === "string") throw new Error(found);
  return found;
};

/** A router says that our datagram to `to` was too long. */
function tooBig(of: Host, to: string, mtu: number, length = 1400, from?: string): void {
  const ipv4 = !to.includes(":");
  const source = from ?? (ipv4 ? "10.0.0.1" : "2001:db8::1");
  const data = packetBytes({ source, destination: to, payload: datagram(length) }).slice(0, 500);
  if (ipv4) {
    const payload = icmpv4({ kind: "unreachable", code: 4, nextHopMtu: mtu, data });
    const spec = { source: ROUTER4, destination: "10.0.0.1", protocol: IpProtocol.icmp, payload };
    of.receive("eth0", packetBytes(spec));
  } else {
    const payload = icmpv6({ kind: "packet-too-big", mtu, data }, ROUTER6, "2001:db8::1");
    const spec = { source: ROUTER6, destination: "2001:db8::1", protocol: 58, payload };
    of.receive("eth0", packetBytes(spec));
  }
}

describe("path mtu", () => {
  test.each([
    ["10.0.0.9", 1300, 1300],
    ["10.0.0.9", 68, 68],
    ["10.0.0.9", 20, 68],
    ["10.0.0.9", 1500, 1500],
    ["10.0.0.9", 9000, 1500],
    ["10.0.0.9", 0, 1006],
    ["2001:db8::9", 1300, 1300],
    ["2001:db8::9", 1280, 1280],
    ["2001:db8::9", 1279, 1500],
    ["2001:db8::9", 0, 1500],
    ["2001:db8::9", 1600, 1500],
  ])("to %s, told %i, becomes %i", (to, told, becomes) => {
    const made = host();
    const before = path(made, to);
    expect(before.mtu).toBe(1500);
    tooBig(made, to, told);
    expect([before.mtu, before.valid, path(made, to).mtu]).toEqual([becomes, true, becomes]);
    expect(path(made, to.replace(/9$/, "8")).mtu).toBe(1500);
  });

  test("lowered, raised by a message, stays; aged, is the link's again", () => {
    const made = host();
    const to = path(made, "10.0.0.9");
    tooBig(made, "10.0.0.9", 1000);
    tooBig(made, "10.0.0.9", 1200);
    expect(to.mtu).toBe(1000);
    made.context.pass(seconds(599));
    expect(to.mtu).toBe(1000);
    made.context.pass(seconds(2));
    expect([to.mtu, made.internet.pathMtus.size, made.context.timers]).toEqual([1500, 0, 0]);
  });

  test("a message that the transport does not know, or about no packet of ours, is not believed", () => {
    const doubting = host(() => false);
    tooBig(doubting, "10.0.0.9", 1000);
    expect(path(doubting, "10.0.0.9").mtu).toBe(1500);
    const made = host();
    tooBig(made, "10.0.0.9", 1000, 1400, "10.0.0.77");
    expect(path(made, "10.0.0.9").mtu).toBe(1500);
    expect(made.internet.icmpCounters4.inUnverified).toBe(1);
  });

  test("the transport sees who was meant, and its own header", () => {
    const seen: unknown[] = [];
    const made = host((error) => {
      const { kind, mtu, from, destination, view, transportStart } = error;
      seen.push([kind, mtu, `${from}`, `${destination}`, view.getUint16(transportStart)]);
      return true;
    });
    tooBig(made, "10.0.0.9", 1000);
    tooBig(made, "2001:db8::9", 1300);
    expect(seen).toEqual([
      ["packet-too-big", 1000, ROUTER4, "10.0.0.9", 4000],
      ["packet-too-big", 1300, ROUTER6, "2001:db8::9", 4000],
    ]);
  });

  test("many destinations, beyond the limit, keep the latest", () => {
    const made = host(() => true, { paths: 10 });
    for (let i = 2; i < 60; i++) tooBig(made, `10.0.0.${i}`, 1000);
    expect(made.internet.pathMtus.size).toBe(10);
    expect(path(made, "10.0.0.59").mtu).toBe(1000);
    expect(path(made, "10.0.0.2").mtu).toBe(1500);
  });

  test("the interface's mtu, changed, is the path's at once", () => {
    const made = host();
    const to = path(made, "10.0.0.9");
    made.interface("eth0").setMtu(900);
    expect(to.mtu).toBe(900);
  });

  test.each([
    [65_535, 32_000],
    [1500, 1492],
    [1492, 1006],
    [68, 68],
    [0, 68],
  ])("the plateau below %i is %i", (length, plateau) => {
    expect(plateauBelow(length)).toBe(plateau);
  });
});
