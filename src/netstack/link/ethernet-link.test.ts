import { describe, expect, test } from "vitest";
import { Packet } from "../packet.ts";
import { Segment } from "./testing/segment.ts";

const A = 0x0200_0000_000a;
const B = 0x0200_0000_000b;

/** A frame of these octets, in hexadecimal with any spaces. */
function frameOf(...parts: string[]): Packet {
  const bytes = Buffer.from(parts.join("").replaceAll(" ", ""), "hex");
  const packet = Packet.allocate();
  packet.bytes.set(bytes, packet.start);
  packet.end = packet.start + bytes.length;
  return packet;
}

const TO_A = "02000000000a";
const TO_C = "02000000000c";
const FROM_B = "02000000000b";
const IPV4 = `45${"00".repeat(19)}`;
const IPV6 = `60${"00".repeat(39)}`;

function station(settings = {}) {
  const segment = new Segment();
  const a = segment.add(A, settings);
  const { counters } = a.iface;
  const outcome = (...parts: string[]): string => {
    const { inErrors, inDiscards } = counters;
    a.hear(frameOf(...parts));
    const [packet] = a.received.splice(0);
    if (packet !== undefined) {
      const group = a.groupsOfFrames.pop() ? "group" : "own";
      if (packet.length === 0) return `${group} empty`;
      return `${group} ${packet.view.getUint8(packet.start).toString(16)} ${packet.length}`;
    }
    if (counters.inErrors > inErrors) return "error";
    return counters.inDiscards > inDiscards ? "discarded" : "nothing";
  };
  return { segment, a, outcome };
}

describe("frames in", () => {
  test.each([
    ["ipv4 for us", "own 45 20", [TO_A, FROM_B, "0800", IPV4]],
    ["ipv6 for us", "own 60 40", [TO_A, FROM_B, "86dd", IPV6]],
    ["broadcast", "group 45 20", ["ffffffffffff", FROM_B, "0800", IPV4]],
    ["multicast", "group 60 40", ["333300000001", FROM_B, "86dd", IPV6]],
    ["for another station", "discarded", [TO_C, FROM_B, "0800", IPV4]],
    ["from a group", "discarded", [TO_A, "01005e000001", "0800", IPV4]],
    ["of an unknown type", "discarded", [TO_A, FROM_B, "88cc", "0207"]],
    ["802.3 with LLC", "discarded", [TO_A, FROM_B, "0003", "424203"]],
    ["802.3, longer than the frame", "error", [TO_A, FROM_B, "0100", "424203"]],
    ["shorter than a header", "error", [TO_A, FROM_B, "08"]],
    ["header alone", "own empty", [TO_A, FROM_B, "0800"]],
    ["of some vlan", "discarded", [TO_A, FROM_B, "8100 0005 0800", IPV4]],
    ["with a priority alone", "own 45 20", [TO_A, FROM_B, "8100 e000 0800", IPV4]],
    ["with half a tag", "error", [TO_A, FROM_B, "8100 00"]],
    ["with a tag in a tag", "discarded", [TO_A, FROM_B, "8100 0000 8100 0005 0800", IPV4]],
    ["with a service tag", "discarded", [TO_A, FROM_B, "88a8 0005 0800", IPV4]],
    ["arp, truncated", "error", [TO_A, FROM_B, "0806", "0001 0800 06"]],
    ["arp of other hardware", "error", [TO_A, FROM_B, "0806", "0006 0800 0604 0001"]],
  ])("%s: %s", (_, expected, parts) => {
    const { outcome } = station();
    expect(outcome(...parts)).toBe(expected);
  });

  test("interface of a vlan: takes its frames alone, and tags what it sends", () => {
    const { segment, a, outcome } = station({ vlan: 5 });
    expect(outcome(TO_A, FROM_B, "8100 0005 0800", IPV4)).toBe("own 45 20");
    expect(outcome(TO_A, FROM_B, "8100 6005 86dd", IPV6)).toBe("own 60 40");
    expect(outcome(TO_A, FROM_B, "8100 0006 0800", IPV4)).toBe("discarded");
    expect(outcome(TO_A, FROM_B, "8100 0000 0800", IPV4)).toBe("discarded");
    expect(outcome(TO_A, FROM_B, "0800", IPV4)).toBe("discarded");
    const b = segment.add(B, { vlan: 5 });
    const c = segment.add(0x0200_0000_000c);
    a.address("10.0.0.1/24", "preferred");
    b.address("10.0.0.2/24", "preferred");
    c.address("10.0.0.2/24", "preferred");
    a.send("10.0.0.1", "10.0.0.2", 4);
    segment.pass(1);
    expect([b.marks(), c.marks()]).toEqual([[4], []]);
    expect(segment.heard()).toContain("02:00:00:00:00:0b 8100");
  });

  test("down: nothing is taken", () => {
    const { a, outcome } = station();
    a.iface.setUp(false);
    expect(outcome(TO_A, FROM_B, "0800", IPV4)).toBe("nothing");
  });
});

describe("frames out", () => {
  test.each([
    ["224.0.0.251", "01:00:5e:00:00:fb"],
    ["239.129.2.3", "01:00:5e:01:02:03"],
    ["255.255.255.255", "ff:ff:ff:ff:ff:ff"],
    ["10.0.0.255", "ff:ff:ff:ff:ff:ff"],
    ["ff02::1", "33:33:00:00:00:01"],
    ["ff05::db8:8001:203", "33:33:80:01:02:03"],
  ])("to %s: to %s, without asking", (destination, mac) => {
    const segment = new Segment();
    const a = segment.add(A, { conflictDetection: "off" });
    a.address("10.0.0.1/24", "preferred");
    a.address("fe80::a/64", "preferred");
    a.address("192.0.2.254/31", "preferred");
    segment.heard();
    expect(a.send(destination.includes(":") ? "fe80::a" : "10.0.0.1", destination)).toBe("sent");
    const type = destination.includes(":") ? "ipv6" : "ipv4";
    expect(segment.heard()).toEqual([`${mac} ${type}`]);
  });

  test("192.0.2.255 on a network of 31 bits: a neighbour like any", () => {
    const segment = new Segment();
    const a = segment.add(A, { conflictDetection: "off" });
    a.address("192.0.2.254/31", "preferred");
    a.send("192.0.2.254", "192.0.2.255");
    expect(segment.heard()).toEqual(["ff:ff:ff:ff:ff:ff arp request 192.0.2.254 -> 192.0.2.255"]);
  });

  test("packet sent: is afterwards where it was, with its header before it", () => {
    const segment = new Segment();
    const a = segment.add(A);
    a.address("10.0.0.1/24", "preferred");
    const packet = frameOf(IPV4);
    const { start, end } = packet;
    a.link.deliver(
      { ip: a.iface.addresses.all[0]!.ip, macHigh: 0x0200, macLow: 0xb } as never,
      packet,
    );
    expect([packet.start, packet.end]).toEqual([start, end]);
    const header = packet.bytes.subarray(start - 14, start);
    expect(Buffer.from(header).toString("hex")).toBe(`02000000000b${TO_A}0800`);
  });
});
