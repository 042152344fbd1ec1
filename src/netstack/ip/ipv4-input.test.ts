import { beforeEach, describe, expect, test } from "vitest";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import type { Inbound } from "../inbound.ts";
import type { Delivery } from "./ip-layer.ts";
import { Host, ip, packetOf } from "./testing/host.ts";
import { datagram, type PacketSpec, packetBytes, readIpv4 } from "./testing/packets.ts";

/** A transport that notes what it is handed. */
function listen(host: Host, protocol: number, answer: Delivery = "taken"): string[] {
  const heard: string[] = [];
  host.internet.register({
    protocol,
    handlePacket(inbound: Inbound): Delivery {
      const { cast, interface: from, payloadLength } = inbound;
      heard.push(`${inbound.source()} ${cast} ${from.name} ${payloadLength}`);
      return answer;
    },
    handleIcmpError: () => false,
  });
  return heard;
}

describe("ipv4 input", () => {
  let host: Host;
  let heard: string[];

  beforeEach(() => {
    host = new Host([
      { name: "lo", addresses: ["127.0.0.1/8"], medium: "loopback" },
      { name: "eth0", addresses: ["10.0.0.1/24"] },
      { name: "eth1", addresses: ["10.0.1.1/24"] },
    ]);
    heard = listen(host, IpProtocol.udp);
  });

  const from = "10.0.0.2";
  const accepted: readonly [string, PacketSpec, string][] = [
    ["unicast", { source: from, destination: "10.0.0.1" }, "unicast"],
    ["the limited broadcast", { source: from, destination: "255.255.255.255" }, "broadcast"],
    ["the directed broadcast", { source: from, destination: "10.0.0.255" }, "broadcast"],
    ["all hosts", { source: from, destination: "224.0.0.1" }, "multicast"],
    ["nobody yet, to all", { source: "0.0.0.0", destination: "255.255.255.255" }, "broadcast"],
  ];
  test.each(accepted)("%s is delivered", (_what, spec, cast) => {
    host.receive("eth0", packetBytes(spec));
    expect(heard).toEqual([`${spec.source} ${cast} eth0 16`]);
  });

  const refused: readonly [string, PacketSpec, string?][] = [
    ["a loopback source", { source: "127.0.0.1", destination: "10.0.0.1" }],
    ["a loopback destination", { source: from, destination: "127.0.0.1" }],
    ["a group as source", { source: "224.0.0.5", destination: "10.0.0.1" }],
    ["a class E source", { source: "250.0.0.1", destination: "10.0.0.1" }],
    ["a broadcast source", { source: "10.0.0.255", destination: "10.0.0.1" }],
    ["this network, to one", { source: "0.0.0.0", destination: "10.0.0.1" }],
    ["our own source", { source: "10.0.0.1", destination: "10.0.0.1" }],
    ["the source of another interface of ours", { source: "10.0.1.1", destination: "10.0.0.1" }],
    ["somebody else's", { source: from, destination: "10.0.0.7" }],
    ["another interface's address (strong host)", { source: from, destination: "10.0.1.1" }],
    ["a group that nobody joined", { source: from, destination: "224.1.2.3" }],
    [
      "a source route",
      {
        source: from,
        destination: "10.0.0.1",
        options: [{ type: 131, data: new Uint8Array([4, 10, 0, 0, 9]) }],
      },
    ],
  ];
  test.each(refused)("%s is dropped in silence", (_what, spec) => {
    host.receive("eth0", packetBytes(spec));
    expect(heard).toEqual([]);
    expect(host.take()).toEqual([]);
  });

  test("a bad checksum, a truncated packet and another version are dropped and counted", () => {
    const bad = packetBytes({ source: from, destination: "10.0.0.1" });
    bad[10]! ^= 1;
    host.receive("eth0", bad);
    const good = packetBytes({ source: from, destination: "10.0.0.1" });
    host.receive("eth0", good.slice(0, 30));
    host.receive("eth0", good.slice(0, 10));
    expect(heard).toEqual([]);
    expect(host.internet.counters4.inHeaderErrors).toBe(3);
  });

  test("padding, behind the packet, is not delivered", () => {
    const bytes = packetBytes({ source: from, destination: "10.0.0.1" });
    const padded = new Uint8Array(60);
    padded.set(bytes);
    host.receive("eth0", padded);
    expect(heard).toEqual([`${from} unicast eth0 16`]);
  });

  test("a packet to one, in a frame to all, is dropped (RFC 1122 §3.3.6)", () => {
    host.receive("eth0", packetOf(packetBytes({ source: from, destination: "10.0.0.1" })), true);
    expect(heard).toEqual([]);
  });

  test("forwarding, on, takes packets for any of our addresses (weak host)", () => {
    host.interface("eth0").settings.forwarding = true;
    host.receive("eth0", packetBytes({ source: from, destination: "10.0.1.1" }));
    expect(heard).toEqual([`${from} unicast eth0 16`]);
  });

  test("loopback takes packets for any of our addresses, from them", () => {
    host.receive("lo", packetBytes({ source: "10.0.1.1", destination: "10.0.0.1" }));
    host.receive("lo", packetBytes({ source: "127.0.0.1", destination: "127.9.9.9" }));
    expect(heard).toHaveLength(2);
  });

  test("the reverse path filter, on, drops what came by the wrong interface", () => {
    host.interface("eth0").settings.reversePathFilter = true;
    host.receive("eth0", packetBytes({ source: "10.0.1.7", destination: "10.0.0.1" }));
    expect(heard).toEqual([]);
    host.receive("eth0", packetBytes({ source: "10.0.0.7", destination: "10.0.0.1" }));
    expect(heard).toHaveLength(1);
  });

  test("a packet to an address that is only offered, is shown to udp before it is dropped", () => {
    const shown: string[] = [];
    host.internet.register({
      protocol: IpProtocol.udp,
      handlePacket: () => "taken",
      handleIcmpError: () => false,
      takeUnassigned: (inbound) => shown.push(`${inbound.destination()}`) === 1,
    });
    const offer = { source: from, destination: "10.9.9.9", payload: datagram(16, 68) };
    host.receive("eth0", packetBytes(offer));
    host.receive("eth0", packetBytes(offer));
    host.receive("eth0", packetBytes({ ...offer, destination: "224.1.1.1" }));
    expect(shown).toEqual(["10.9.9.9", "10.9.9.9"]);
    expect(host.internet.counters4).toMatchObject({ inDelivers: 1, inNotForUs: 2 });
  });

  test("fragments, all come, are delivered as one", () => {
    const payload = datagram(40);
    const common = { source: from, destination: "10.0.0.1" };
    const second = { ...common, payload: payload.slice(24), fragmentOffset: 24 };
    const first = { ...common, payload: payload.slice(0, 24), moreFragments: true };
    host.receive("eth0", packetBytes(second));
    expect(heard).toEqual([]);
    host.receive("eth0", packetBytes(first));
    expect(heard).toEqual([`${from} unicast eth0 40`]);
  });

  test("an expired first fragment is answered by reassembly time exceeded", () => {
    const spec = { source: from, destination: "10.0.0.1", moreFragments: true };
    host.receive("eth0", packetBytes({ ...spec, payload: datagram(24) }));
    host.context.pass(host.context.limits.fragmentTimeout);
    host.context.pass(host.context.limits.fragmentTimeout);
    const [error] = host.take();
    const { payload, destination } = readIpv4(error!.packet);
    expect([destination, payload[0], payload[1]]).toEqual([from, 11, 1]);
  });

  test("the tap, wanting an unknown protocol, keeps it from being refused", () => {
    let wanted = false;
    host.internet.onInbound(() => wanted);
    const spec = { source: from, destination: "10.0.0.1", protocol: 99 };
    host.receive("eth0", packetBytes(spec));
    expect(readIpv4(host.take()[0]!.packet).payload.slice(0, 2)).toEqual(new Uint8Array([3, 2]));
    wanted = true;
    host.receive("eth0", packetBytes(spec));
    expect(host.take()).toEqual([]);
  });

  test("a group member, sending to its group, hears itself once time moves on", () => {
    const group = ip("239.1.1.1");
    host.interface("eth0").groups.join(group);
    for (const multicastLoop of [true, false]) {
      const constraint = { interface: host.interface("eth0"), multicastLoop };
      const path = host.internet.resolve(group, constraint);
      if (typeof path === "string") throw new Error(path);
      const packet = host.internet.scratch();
      packet.bytes.set(datagram(), packet.start);
      packet.end += 16;
      expect(host.internet.send(path, packet, IpProtocol.udp, 0, 0, "never")).toBe("sent");
      expect(readIpv4(host.take()[0]!.packet).ttl).toBe(1);
      expect(heard).toEqual([]);
      host.context.pass(5000 as never);
      expect(heard.splice(0)).toEqual(multicastLoop ? ["10.0.0.1 multicast eth0 16"] : []);
    }
  });
});
