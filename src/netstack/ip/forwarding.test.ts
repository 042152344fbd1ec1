import { beforeEach, describe, expect, test } from "vitest";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { GsoType } from "../../wire/virtio-net.ts";
import { Prefix } from "../prefix.ts";
import { Host, ip, packetOf } from "./testing/host.ts";
import { datagram, type PacketSpec, packetBytes, readIpv4, readIpv6 } from "./testing/packets.ts";

const settings = { forwarding: true };

describe("forwarding", () => {
  let host: Host;

  beforeEach(() => {
    host = new Host([
      { name: "in", addresses: ["10.0.0.1/24", "2001:db8:0::1/64"], settings, mtu: 9000 },
      { name: "out", addresses: ["10.0.1.1/24", "2001:db8:1::1/64"], settings },
    ]);
    const via = { interface: host.interface("out") };
    const { routes } = host.internet;
    routes.add({ destination: Prefix.parse("192.0.2.0/24")!, via: ip("10.0.1.9"), ...via });
    routes.add({ destination: Prefix.parse("198.51.100.0/24")!, kind: "prohibit" });
    routes.add({ destination: Prefix.parse("203.0.113.0/24")!, kind: "blackhole" });
  });

  const v4 = { source: "10.0.0.2", destination: "192.0.2.7" };
  const v6 = { source: "2001:db8::2", destination: "2001:db8:1::7" };

  test("ipv4, with a route, goes to the router with one hop less", () => {
    host.receive("in", packetBytes(v4));
    const [sent] = host.take();
    expect([sent!.by, sent!.nextHop]).toEqual(["out", "10.0.1.9"]);
    expect(readIpv4(sent!.packet)).toMatchObject({ ...v4, ttl: 63, payload: datagram() });
  });

  test("ipv6, to a neighbour, goes to it with one hop less", () => {
    host.receive("in", packetBytes(v6));
    const [sent] = host.take();
    expect([sent!.by, sent!.nextHop]).toEqual(["out", "2001:db8:1::7"]);
    expect(readIpv6(sent!.packet)).toMatchObject({ ...v6, hopLimit: 63, payload: datagram() });
  });

  const errors: readonly [string, PacketSpec, readonly number[]][] = [
    ["the last hop", { ...v4, ttl: 1 }, [11, 0, 0]],
    ["no hop at all", { ...v4, ttl: 0 }, [11, 0, 0]],
    ["no route", { ...v4, destination: "8.8.8.8" }, [3, 0, 0]],
    ["a prohibited one", { ...v4, destination: "198.51.100.1" }, [3, 13, 0]],
    ["too long, DF", { ...v4, dontFragment: true, payload: datagram(2000) }, [3, 4, 1500]],
    ["the last hop, v6", { ...v6, ttl: 1 }, [3, 0, 0]],
    ["no route, v6", { ...v6, destination: "2a00::1" }, [1, 0, 0]],
    ["too long, v6", { ...v6, payload: datagram(2000) }, [2, 0, 1500]],
  ];
  test.each(errors)("%s is told to the sender", (_what, spec, [type, code, mtu]) => {
    const bytes = packetBytes(spec);
    host.receive("in", packetOf(bytes));
    const [sent, more] = host.take();
    expect(more).toBeUndefined();
    expect(sent!.by).toBe("in");
    const ipv4 = !spec.source.includes(":");
    const { payload, destination } = (ipv4 ? readIpv4 : readIpv6)(sent!.packet);
    const rest = new DataView(payload.buffer).getUint32(4);
    expect([destination, payload[0], payload[1], rest]).toEqual([spec.source, type, code, mtu]);
    expect(payload.slice(8)).toEqual(bytes.slice(0, payload.length - 8));
  });

  const silent: readonly [string, PacketSpec][] = [
    ["a blackhole", { ...v4, destination: "203.0.113.1" }],
    ["a group", { ...v4, destination: "239.1.1.1" }],
    ["a directed broadcast", { ...v4, destination: "10.0.1.255" }],
    ["a link-local destination", { ...v4, destination: "169.254.1.1" }],
    ["a link-local source", { ...v4, source: "169.254.1.1" }],
    ["a class E destination", { ...v4, destination: "241.0.0.1" }],
    ["a link-local destination, v6", { ...v6, destination: "fe80::9" }],
    ["a group, v6", { ...v6, destination: "ff0e::9" }],
  ];
  test.each(silent)("%s is dropped in silence", (_what, spec) => {
    host.receive("in", packetBytes(spec));
    expect(host.take()).toEqual([]);
  });

  test("a link-local source, v6, is told that its scope ends (RFC 4443 §3.1)", () => {
    host.interface("in").addresses.add(Prefix.parse("fe80::1/64")!, "static", "preferred");
    host.receive("in", packetBytes({ ...v6, source: "fe80::2" }));
    const { payload, destination } = readIpv6(host.take()[0]!.packet);
    expect([destination, payload[0], payload[1]]).toEqual(["fe80::2", 1, 2]);
  });

  test("a frame to all is not forwarded", () => {
    host.receive("in", packetOf(packetBytes(v4)), true);
    expect(host.take()).toEqual([]);
  });

  test("an interface that does not forward keeps what is not for it", () => {
    host.interface("in").settings.forwarding = false;
    host.receive("in", packetBytes(v4));
    expect(host.take()).toEqual([]);
    expect(host.internet.counters4.inNotForUs).toBe(1);
  });

  test("too long without DF, ipv4, leaves in fragments that fit", () => {
    host.receive("in", packetBytes({ ...v4, payload: datagram(4000) }));
    const pieces = host
      .take()
      .map(({ packet }) => ({ ...readIpv4(packet), length: packet.length }));
    expect(pieces.map(({ length }) => length <= 1500)).toEqual([true, true, true]);
    expect(pieces.map(({ identification, ttl }) => [identification, ttl])).toEqual([
      [7, 63],
      [7, 63],
      [7, 63],
    ]);
    expect(pieces.reduce((sum, { payload }) => sum + payload.length, 0)).toBe(4000);
  });

  test("a merged segment keeps its size where the device cuts, and is cut where it does not", () => {
    const offload = { checksum: true, tcpV4: true, tcpV6: true, udp: true };
    host.add({ name: "fast", addresses: ["10.0.2.1/24"], offload, settings });
    for (const [destination, count] of [
      ["10.0.2.7", 1],
      ["10.0.1.7", 3],
    ] as const) {
      const tcp = new Uint8Array(20 + 3000);
      tcp[12] = 0x50;
      const spec = { ...v4, destination, protocol: IpProtocol.tcp, payload: tcp };
      const packet = packetOf(packetBytes({ ...spec, dontFragment: true }));
      packet.gsoType = GsoType.tcpV4;
      packet.gsoSize = 1000;
      packet.checksum = "partial";
      packet.checksumStart = packet.start + 20;
      packet.checksumOffset = 16;
      host.receive("in", packet);
      const sent = host.take();
      expect(sent.map(({ packet: { length } }) => length)).toEqual(
        count === 1 ? [3040] : [1040, 1040, 1040],
      );
      expect(sent[0]!.packet.gsoType).toBe(count === 1 ? GsoType.tcpV4 : GsoType.none);
      expect(sent[0]!.packet.checksum).toBe(count === 1 ? "partial" : "complete");
    }
  });

  test("a neighbour that has failed is told as host unreachable", () => {
    host.link("out").verdict = "unreachable";
    host.receive("in", packetBytes(v4));
    host.receive("in", packetBytes(v6));
    const [first, second] = host.take();
    expect(readIpv4(first!.packet).payload.slice(0, 2)).toEqual(new Uint8Array([3, 1]));
    expect(readIpv6(second!.packet).payload.slice(0, 2)).toEqual(new Uint8Array([1, 3]));
  });

  test("a queued packet, given up by the link, is told to its sender", () => {
    const packet = packetOf(packetBytes(v4));
    host.internet.undeliverable(host.interface("out"), packet);
    expect(readIpv4(host.take()[0]!.packet)).toMatchObject({ destination: v4.source });
  });

  test("an incoming rule chooses another table", () => {
    const destination = Prefix.parse("192.0.2.0/24")!;
    const out = host.interface("out");
    const { routes } = host.internet;
    routes.add({ destination, via: ip("10.0.1.66"), interface: out, table: 7 });
    routes.rules.add({ priority: 1, incoming: host.interface("in"), action: { table: 7 } });
    host.receive("in", packetBytes(v4));
    expect(host.take()[0]!.nextHop).toBe("10.0.1.66");
  });
});
