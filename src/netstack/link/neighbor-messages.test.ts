import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ARP_LENGTH } from "../../wire/arp.ts";
import { EtherType } from "../../wire/ethernet.ts";
import { emitIpv6 } from "../../wire/ipv6.ts";
import type { Ipv6Words } from "../../wire/ipv6-address.ts";
import { writeMac } from "../../wire/mac.ts";
import { emitNdp, type NdpRepr, ndpLength } from "../../wire/ndp.ts";
import type { NdpOption } from "../../wire/ndp-options.ts";
import { Ip } from "../ip-address.ts";
import { Packet } from "../packet.ts";
import { Segment, type TestHost } from "./testing/segment.ts";

const A = 0x0200_0000_000a;
const B = 0x0200_0000_000b;
const words = (text: string): Ipv6Words => {
  const { w0, w1, w2, w3 } = Ip.parse(text)!;
  return [w0 >>> 0, w1 >>> 0, w2 >>> 0, w3 >>> 0];
};

/** A frame from B to A with a message of neighbour discovery. */
function frameOf(repr: NdpRepr, from: string, to: string, hopLimit = 255): Packet {
  const packet = Packet.allocate();
  const { view, start } = packet;
  writeMac(view, start, A);
  writeMac(view, start + 6, B);
  view.setUint16(start + 12, EtherType.ipv6);
  const [source, destination] = [words(from), words(to)];
  const payloadLength = ndpLength(repr);
  const plain = { dscp: 0, ecn: 0, flowLabel: 0, payloadLength, nextHeader: 58 };
  const at = emitIpv6({ ...plain, hopLimit, source, destination }, view, start + 14);
  packet.end = emitNdp(repr, view, at, source, destination);
  return packet;
}

const at = (mac: number): NdpOption[] => [{ kind: "source-link-layer", mac }];
const target = (mac: number): NdpOption[] => [{ kind: "target-link-layer", mac }];
const ns = (text: string, options: NdpOption[] = []): NdpRepr => ({
  kind: "neighbor-solicitation",
  target: words(text),
  options,
});
const na = (text: string, flags: string, options: NdpOption[] = target(B)): NdpRepr => ({
  kind: "neighbor-advertisement",
  router: flags.includes("r"),
  solicited: flags.includes("s"),
  override: flags.includes("o"),
  target: words(text),
  options,
});

function station(): { segment: Segment; a: TestHost } {
  const segment = new Segment();
  const a = segment.add(A);
  a.address("fe80::a/64", "preferred");
  a.address("10.0.0.1/24", "preferred");
  segment.pass(5_000);
  segment.heard();
  return { segment, a };
}

describe("solicitations", () => {
  const GROUP = "ff02::1:ff00:a";
  test.each([
    ["with an option: learnt and answered", ns("fe80::a", at(B)), "fe80::b", GROUP, "stale", true],
    [
      "to us alone, without an option: looked for, to be answered",
      ns("fe80::a"),
      "fe80::b",
      "fe80::a",
      "incomplete",
      true,
    ],
    ["without a source: all are answered", ns("fe80::a"), "::", GROUP, "none", true],
    ["without a source, with an option: dropped", ns("fe80::a", at(B)), "::", GROUP, "none", false],
    ["without a source, to us alone: dropped", ns("fe80::a"), "::", "fe80::a", "none", false],
    ["for another: ignored", ns("fe80::1:a", at(B)), "fe80::b", "ff02::1:ff00:a", "none", false],
    ["for a group: dropped", ns("ff02::1", at(B)), "fe80::b", "ff02::1", "none", false],
    [
      "with a group's link address: not learnt",
      ns("fe80::a", at(0x3333_0000_0001)),
      "fe80::b",
      GROUP,
      "incomplete",
      true,
    ],
  ] as const)("%s", (_, repr, from, to, state, answered) => {
    const { segment, a } = station();
    a.hear(frameOf(repr, from, to));
    expect(a.stateOf("fe80::b")).toBe(state);
    expect(segment.heard().length).toBe(answered ? 1 : 0);
  });

  test("through a router (hop limit below 255): dropped", () => {
    const { segment, a } = station();
    a.hear(frameOf(ns("fe80::a", at(B)), "fe80::b", GROUP, 254));
    expect(a.stateOf("fe80::b")).toBe("none");
    expect(a.iface.counters.inErrors).toBe(1);
    expect(segment.heard()).toEqual([]);
  });

  test("from our own address: ignored", () => {
    const { segment, a } = station();
    a.hear(frameOf(ns("fe80::a", at(B)), "fe80::a", GROUP));
    expect(a.link.neighbors.size).toBe(0);
    expect(segment.heard()).toEqual([]);
  });

  test("without an option: the answer follows once the one that asked is found", () => {
    const { segment, a } = station();
    a.hear(frameOf(ns("fe80::a"), "fe80::b", "fe80::a"));
    a.hear(frameOf(na("fe80::b", "so"), "fe80::b", "fe80::a"));
    expect(segment.heard()).toEqual([
      "33:33:ff:00:00:0b ns fe80::a -> fe80::b",
      "02:00:00:00:00:0b na 11 fe80::a -> fe80::a",
    ]);
  });

  test("to us alone, from who is known: answered at the address known", () => {
    const { segment, a } = station();
    a.link.neighbors.observe(Ip.parse("fe80::b")!, B);
    a.hear(frameOf(ns("fe80::a"), "fe80::b", "fe80::a"));
    expect(segment.heard()).toEqual(["02:00:00:00:00:0b na 11 fe80::a -> fe80::a"]);
  });
});

describe("advertisements", () => {
  test.each([
    ["from who was not asked: ignored", "none", na("fe80::b", "so"), "fe80::b", "fe80::a", "none"],
    ["answer: reachable", "asked", na("fe80::b", "so"), "fe80::b", "fe80::a", "reachable"],
    [
      "solicited, but to a group: dropped",
      "asked",
      na("fe80::b", "so"),
      "fe80::b",
      "ff02::1",
      "incomplete",
    ],
    ["unsolicited to a group: stale", "asked", na("fe80::b", "o"), "fe80::b", "ff02::1", "stale"],
    [
      "without a link address: ignored",
      "asked",
      na("fe80::b", "so", []),
      "fe80::b",
      "fe80::a",
      "incomplete",
    ],
  ] as const)("%s", (_, before, repr, from, to, state) => {
    const { a } = station();
    if (before === "asked") a.send("fe80::a", "fe80::b");
    a.hear(frameOf(repr, from, to));
    expect(a.stateOf("fe80::b")).toBe(state);
  });
});

describe("bounds", () => {
  test("flood of requests and solicitations from made-up neighbours: table bounded, own one kept", () => {
    const segment = new Segment({ neighbors: 32 });
    const [a, b] = [segment.add(A), segment.add(B)];
    a.address("10.0.0.1/8", "preferred");
    b.address("10.0.0.2/8", "preferred");
    a.address("fe80::a/64", "preferred");
    segment.pass(5_000);
    a.send("10.0.0.1", "10.0.0.2");
    segment.pass(1);
    a.events.length = 0;
    for (let i = 0; i < 2_000; i++) {
      const from = `fe80::${(i + 256).toString(16)}`;
      a.hear(frameOf(ns("fe80::a", at(B)), from, "ff02::1:ff00:a"));
      a.hear(arpFrame(1, B, 0x0a01_0000 + i, 0, 0x0a00_0001));
    }
    expect(a.link.neighbors.size).toBe(64);
    expect(a.stateOf("10.0.0.2")).toBe("reachable");
  });
});

function arpFrame(op: number, mac: number, sender: number, to: number, ip: number): Packet {
  const packet = Packet.allocate();
  const { view, start } = packet;
  writeMac(view, start, A);
  writeMac(view, start + 6, mac);
  view.setUint16(start + 12, EtherType.arp);
  view.setUint32(start + 14, 0x0001_0800);
  view.setUint16(start + 18, 0x0604);
  view.setUint16(start + 20, op);
  writeMac(view, start + 22, mac);
  view.setUint32(start + 28, sender);
  writeMac(view, start + 32, to);
  view.setUint32(start + 38, ip);
  packet.end = start + 14 + ARP_LENGTH;
  return packet;
}

describe("arp packets", () => {
  const OURS = 0x0a00_0001;
  test.each([
    ["request for us: learnt, answered", arpFrame(1, B, 0x0a00_0002, 0, OURS), "stale", 1],
    ["request for another: nothing", arpFrame(1, B, 0x0a00_0002, 0, 0x0a00_0009), "none", 0],
    ["probe for ours: answered", arpFrame(1, B, 0, 0, OURS), "none", 1],
    ["reply nobody asked for: nothing", arpFrame(2, B, 0x0a00_0002, A, OURS), "none", 0],
    ["gratuitous: nothing", arpFrame(1, B, 0x0a00_0002, 0, 0x0a00_0002), "none", 0],
    ["of another operation: nothing", arpFrame(3, B, 0x0a00_0002, 0, OURS), "none", 0],
    ["from a group: nothing", arpFrame(1, 0x0100_5e00_0001, 0x0a00_0002, 0, OURS), "none", 0],
    ["our own, come back: nothing", arpFrame(1, A, 0x0a00_0002, 0, OURS), "none", 0],
  ])("%s", (_, frame, state, sent) => {
    const { segment, a } = station();
    a.hear(frame);
    expect(a.stateOf("10.0.0.2")).toBe(state);
    expect(segment.heard().length).toBe(sent);
  });

  test.each([0xe000_0001, 0xffff_ffff, 0x7f00_0001, 0x0000_0001])(
    "request from %i, no station's address: not learnt",
    (sender) => {
      const { a } = station();
      a.hear(arpFrame(1, B, sender, 0, OURS));
      expect(a.link.neighbors.size).toBe(0);
    },
  );

  test("known neighbour on a new card: followed, to be verified", () => {
    const { a } = station();
    a.send("10.0.0.1", "10.0.0.2");
    a.hear(arpFrame(2, B, 0x0a00_0002, A, OURS));
    expect(a.stateOf("10.0.0.2")).toBe("reachable");
    a.hear(arpFrame(1, 0x0200_0000_00cc, 0x0a00_0002, 0, 0x0a00_0002));
    expect(a.stateOf("10.0.0.2")).toBe("stale");
    expect(a.link.neighbors.find(Ip.parse("10.0.0.2")!)?.mac).toBe(0x0200_0000_00cc);
  });
});

describe("any frames", () => {
  const nearly = [
    frameOf(ns("fe80::a", at(B)), "fe80::b", "ff02::1:ff00:a"),
    frameOf(ns("fe80::99"), "::", "ff02::1:ff00:99"),
    frameOf(na("fe80::b", "so"), "fe80::b", "fe80::a"),
    frameOf(na("fe80::99", "o"), "fe80::b", "ff02::1"),
    arpFrame(1, B, 0x0a00_0002, 0, 0x0a00_0001),
    arpFrame(2, B, 0x0a00_0007, A, 0x0a00_0001),
  ].map((packet) => packet.bytes.slice(packet.start, packet.end));

  test("raw and nearly valid ones, mixed with time: nothing throws, all stays within its bounds", () => {
    const mutation = fc.record({
      base: fc.constantFrom(...nearly),
      at: fc.nat({ max: 100 }),
      value: fc.nat({ max: 255 }),
      cut: fc.nat({ max: 110 }),
    });
    const step = fc.oneof(
      mutation.map(({ base, at, value, cut }) => {
        const bytes = base.slice(0, Math.max(0, base.length - (cut > 50 ? cut - 50 : 0)));
        if (at < bytes.length) bytes[at] = value;
        return bytes;
      }),
      fc.uint8Array({ maxLength: 90 }),
      fc.nat({ max: 20_000 }),
      fc.constant("send" as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), (steps, seed) => {
        const segment = new Segment({ neighbors: 4 }, seed);
        const a = segment.add(A, { conflictDetection: seed % 2 === 0 ? "probe" : "announce" });
        a.address("fe80::a/64", "preferred");
        a.address("fe80::99/64");
        a.address("10.0.0.1/24", "preferred");
        a.address("10.0.0.7/24");
        for (const what of steps) {
          if (what === "send") {
            a.send("fe80::a", "fe80::b");
            a.send("10.0.0.1", "10.0.0.2");
          } else if (typeof what === "number") segment.pass(what);
          else {
            const packet = Packet.allocate();
            packet.bytes.set(what, packet.start);
            packet.end = packet.start + what.length;
            a.hear(packet);
            a.received.length = 0;
          }
          expect(a.link.neighbors.size).toBeLessThanOrEqual(8);
          expect(segment.context.timers).toBeLessThan(20);
        }
        a.iface.setUp(false);
        expect(segment.context.timers).toBe(0);
      }),
      { seed: 826, numRuns: 400 },
    );
  });
});
