import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { GsoType } from "../../wire/virtio-net.ts";
import { pattern } from "../fragments/testing/ip-packets.ts";
import { icmpError } from "./testing/datagrams.ts";
import { silentInterface } from "./testing/recording-ip.ts";
import {
  arrive,
  below,
  context,
  datagramOf,
  Ear,
  eth,
  GROUP,
  give,
  hello,
  ip,
  OURS,
  OURS6,
  open,
  PEER,
  PEER6,
  setUp,
  udp,
} from "./testing/udp-fixture.ts";

const seed = 768;

beforeEach(() => setUp());

describe("checksums", () => {
  test.each([
    ["IPv4, none", OURS, 0, "complete", 1],
    ["IPv6, none", OURS6, 0, "complete", 0],
    ["IPv4, wrong", OURS, 0x1234, "complete", 0],
    ["IPv4, wrong, but the device vouches", OURS, 0x1234, "verified", 1],
    ["IPv6, left out by this machine", OURS6, 0x1234, "partial", 1],
  ] as const)("%s", (_, to, checksum, state, heard) => {
    const ear = new Ear();
    open({ local: { port: 53 } }, ear);
    const { inbound, deliver } = arrive("x", to, 53);
    inbound.packet.view.setUint16(inbound.payloadStart + 6, checksum);
    inbound.packet.checksum = state;
    expect(deliver()).toBe("taken");
    expect([ear.heard.length, udp.counters.inErrors]).toEqual([heard, 1 - heard]);
  });

  test("of a datagram shorter than its packet, looked at, cover what it says", () => {
    const ear = new Ear();
    open({ local: { port: 53 } }, ear);
    const { inbound, deliver } = arrive("abc", OURS, 53);
    inbound.payloadEnd += 4;
    deliver();
    expect(ear.heard).toEqual(["abc"]);
  });

  test("of what is sent, hold; one that comes out as zero goes as ones", () => {
    const socket = open({ local: { port: 53 } });
    for (let i = 0; i < 0x1_0000; i += 0x101) {
      socket.send(Uint8Array.of(i >>> 8, i & 0xff), 0, 2, { ip: i & 1 ? PEER : PEER6, port: 9 });
    }
    for (const one of below.sent) expect(datagramOf(one).sums).toBe(true);
    const first = datagramOf(below.sent[0]!).view.checksum;
    below.sent.length = 0;
    socket.send(Uint8Array.of(first >>> 8, first & 0xff), 0, 2, { ip: PEER6, port: 9 });
    expect(datagramOf(below.sent[0]!).view.checksum).toBe(0xffff);
  });

  test("where the device sums, sent, are left to it, but for what will be fragmented", () => {
    setUp({}, { checksum: true, tcpV4: true, tcpV6: true, udp: true });
    const socket = open();
    socket.send(hello, 0, 5, { ip: PEER, port: 9 });
    socket.send(pattern(3_000), 0, 3_000, { ip: PEER, port: 9 });
    expect(below.sent.map(({ packet }) => packet.checksum)).toEqual(["partial", "complete"]);
    expect(datagramOf(below.sent[1]!).sums).toBe(true);
  });
});

describe("a socket that sends", () => {
  test.each([
    ["past the end", 0, 6],
    ["before the start", -1, 3],
    ["backwards", 4, 2],
    ["nowhere", Number.NaN, 5],
  ])("bytes %s, throws, sends nothing of what lies beside them", (_, start, end) => {
    const socket = open();
    const to = { ip: PEER, port: 9 };
    expect(() => socket.send(hello, start, end, to)).toThrow(RangeError);
    expect(() => socket.sendSegments(hello, start, end, 1, to)).toThrow(RangeError);
    expect(below.sent).toEqual([]);
  });

  test.each([0, -1, Number.NaN])(
    "segments of %s bytes, throws instead of going on for ever",
    (size) => {
      const socket = open();
      expect(() => socket.sendSegments(hello, 0, 5, size, { ip: PEER, port: 9 })).toThrow(
        RangeError,
      );
      expect(below.sent).toEqual([]);
    },
  );

  test.each([
    ["65,507 bytes over IPv4", PEER, 65_507, "sent"],
    ["65,508 bytes over IPv4", PEER, 65_508, "too-big"],
    ["65,527 bytes over IPv6", PEER6, 65_527, "sent"],
    ["65,528 bytes over IPv6", PEER6, 65_528, "too-big"],
    ["to a broadcast address", ip("10.7.0.255"), 1, "denied"],
    ["to all", ip("255.255.255.255"), 1, "denied"],
  ])("%s", (_, to, length, verdict) => {
    expect(open().send(new Uint8Array(length), 0, length, { ip: to, port: 9 })).toBe(verdict);
  });

  test("with leave, to a broadcast address, and without a route, says so", () => {
    const to = { ip: ip("10.7.0.255"), port: 9 };
    expect(open({ broadcast: true }).send(hello, 0, 5, to)).toBe("sent");
    expect(open().send(hello, 0, 5)).toBe("no-destination");
    expect(open({ local: { ip: OURS } }).send(hello, 0, 5, { ip: PEER6, port: 9 })).toBe(
      "mismatch",
    );
    below.noPath = "no-route";
    expect(open().send(hello, 0, 5, to)).toBe("no-route");
  });

  test("while the device is full, is told when there is room, once", () => {
    const ear = new Ear();
    const socket = open({}, ear);
    below.verdict = "full";
    expect(socket.send(hello, 0, 5, { ip: PEER, port: 9 })).toBe("full");
    expect(socket.send(hello, 0, 5, { ip: PEER, port: 9 })).toBe("full");
    eth.ready();
    eth.ready();
    expect(ear.writable).toBe(1);
  });

  test("to a group, uses the group's hop limit, interface and loop", () => {
    const socket = open();
    const other = silentInterface(context, 2);
    socket.hopLimit = 99;
    socket.send(hello, 0, 5, { ip: GROUP, port: 9 });
    socket.multicastHopLimit = 7;
    socket.multicastInterface = other;
    socket.multicastLoop = false;
    socket.send(hello, 0, 5, { ip: GROUP, port: 9 });
    expect(below.sent.map(({ hopLimit }) => hopLimit)).toEqual([1, 7]);
    expect(below.constraints).toEqual([{}, { interface: other, multicastLoop: false }]);
  });

  test("twice to the same place, asks for the path once", () => {
    const socket = open();
    for (const to of [PEER, PEER6, PEER, PEER6]) socket.send(hello, 0, 5, { ip: to, port: 9 });
    expect(below.constraints).toHaveLength(2);
  });

  test("segments, in any number and size, has all bytes in order in trains the path can carry", () => {
    fc.assert(
      fc.property(fc.nat(200_000), fc.integer({ min: 1, max: 3_000 }), (length, size) => {
        setUp();
        const bytes = pattern(length);
        const socket = open();
        expect(socket.sendSegments(bytes, 0, length, size, { ip: PEER, port: 9 })).toBe("sent");
        expect(socket.segmentBytesSent).toBe(length);
        const joined: Uint8Array[] = [];
        for (const { packet } of below.sent) {
          const payload = packet.bytes.slice(packet.start + 8, packet.end);
          joined.push(payload);
          if (packet.gsoType === GsoType.none) expect(payload.length).toBeLessThanOrEqual(size);
          else {
            expect([packet.gsoSize, packet.checksum]).toEqual([size, "partial"]);
            expect(payload.length).toBeLessThanOrEqual(Math.min(64 * size, 65_507));
            expect(size + 28).toBeLessThanOrEqual(1_500);
          }
        }
        expect(Buffer.concat(joined).equals(bytes)).toBe(true);
      }),
      { seed, numRuns: 60 },
    );
  });
});

describe("a connected socket", () => {
  const remote = { ip: PEER, port: 7 };
  const quoted = (from: number, to: number) =>
    Uint8Array.of(from >>> 8, from & 0xff, to >>> 8, to & 0xff, 0, 8, 0, 0);

  test("sent to by its peer and by others, hears its peer alone", () => {
    const ear = new Ear();
    const socket = open({ remote }, ear);
    const { port } = socket.local;
    expect(socket.local.ip.equals(OURS)).toBe(true);
    expect(give("peer", OURS, port, { sourcePort: 7 })).toBe("taken");
    expect(give("port", OURS, port, { sourcePort: 8 })).toBe("port-unreachable");
    expect(give("host", OURS, port, { sourcePort: 7, from: ip("10.7.0.8") })).toBe(
      "port-unreachable",
    );
    expect(ear.heard).toEqual(["peer"]);
  });

  test("whose peer has no such port, is told; what may pass is not an error", () => {
    const ear = new Ear();
    const { local } = open({ remote }, ear);
    const about = quoted(local.port, 7);
    expect(udp.handleIcmpError(icmpError("port-unreachable", OURS, PEER, about))).toBe(true);
    expect(udp.handleIcmpError(icmpError("host-unreachable", OURS, PEER, about))).toBe(true);
    // RFC 5927 §4: not about what we sent.
    const forged = quoted(local.port, 8);
    expect(udp.handleIcmpError(icmpError("port-unreachable", OURS, PEER, forged))).toBe(false);
    expect(ear.errors).toEqual(["ECONNREFUSED"]);
  });

  test("not connected, errors about what it sent lately and no others are believed", () => {
    const kinds: string[] = [];
    const ear = Object.assign(new Ear(), {
      onIcmpError: ({ kind }: { kind: string }) => kinds.push(kind),
    });
    const socket = open({ local: { port: 53 } }, ear);
    const about = icmpError("packet-too-big", OURS, PEER, quoted(53, 9));
    expect(udp.handleIcmpError(about)).toBe(false);
    socket.send(hello, 0, 5, { ip: PEER, port: 9 });
    expect(udp.handleIcmpError(about)).toBe(true);
    expect(udp.handleIcmpError(icmpError("packet-too-big", OURS, PEER, Uint8Array.of(0)))).toBe(
      false,
    );
    expect([kinds, ear.errors]).toEqual([["packet-too-big"], []]);
  });

  test("of many to one peer, each has another port", () => {
    const ports = Array.from({ length: 300 }, () => open({ remote }).local.port);
    expect(new Set(ports).size).toBe(300);
    for (const port of ports) expect(port).toBeGreaterThanOrEqual(32_768);
    // Where one peer's ports begin says nothing of another's (RFC 6056 §3.3.3).
    const elsewhere = open({ remote: { ip: PEER, port: 8 } }).local.port;
    expect(Math.abs(elsewhere - ports.at(-1)!)).toBeGreaterThan(1);
  });
});

describe("a paused socket", () => {
  test("given more than it may queue, drops the new ones; resumed, has the others in order", () => {
    setUp({ datagramBytes: 3 * (256 + 4) });
    const ear = new Ear();
    const socket = open({ local: { port: 53 } }, ear);
    socket.pause();
    for (let i = 0; i < 5; i++) give(`no ${i}`, OURS, 53);
    expect([ear.heard, socket.queued, socket.dropped]).toEqual([[], 12, 2]);
    socket.resume();
    give("more", OURS, 53);
    expect(ear.heard).toEqual(["no 0", "no 1", "no 2", "more"]);
    expect(socket.queued).toBe(0);
  });

  test("pausing from within, keeps the order", () => {
    const ear = new Ear();
    const socket = open({ local: { port: 53 } }, ear);
    const hear = ear.onMessage.bind(ear);
    ear.onMessage = (...args) => {
      hear(...args);
      socket.pause();
    };
    for (const text of ["a", "b", "c"]) give(text, OURS, 53);
    expect(ear.heard).toEqual(["a"]);
    socket.resume();
    give("d", OURS, 53);
    for (let i = 0; i < 3; i++) socket.resume();
    expect(ear.heard).toEqual(["a", "b", "c", "d"]);
  });
});
