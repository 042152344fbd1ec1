import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { Ipv4View } from "../../wire/ipv4.ts";
import { Ipv6View } from "../../wire/ipv6.ts";
import { seq } from "../../wire/seq.ts";
import { TcpFlag, TcpView } from "../../wire/tcp.ts";
import { UdpView } from "../../wire/udp.ts";
import { GsoType } from "../../wire/virtio-net.ts";
import { ipv4Packet, packetOf, pattern } from "../fragments/testing/ip-packets.ts";
import { Packet } from "../packet.ts";
import { completeChecksum, Segmenter } from "./segmentation.ts";
import { LINK, tcpPacket, udpPacket } from "./testing/transport-packets.ts";

const seed = 793;
function cut(packet: Packet, networkStart = packet.start, keepPartial = false): Packet[] {
  const segmenter = new Segmenter();
  const all: Packet[] = [];
  expect(segmenter.begin(packet, networkStart, keepPartial)).toBe(true);
  for (let out = Packet.allocate(); segmenter.next(out); out = Packet.allocate()) all.push(out);
  return all;
}

/** The transport of an IP packet that holds in all its lengths and checksums. */
function transportOf(packet: Packet, at: number, protocol: number) {
  const { view, end } = packet;
  if (view.getUint8(at) >>> 4 === 4) {
    const ip = new Ipv4View();
    expect(ip.wrap(view, at, end)).toBe("ok");
    expect([ip.checksumVerifies, ip.payloadEnd]).toEqual([true, end]);
    return { start: ip.payloadStart, pseudo: ip.pseudoSum, identification: ip.identification };
  }
  const ip = new Ipv6View();
  expect(ip.wrap(view, at, end)).toBe("ok");
  expect(ip.payloadEnd).toBe(end);
  const pseudo = ip.pseudoSum(protocol, end - ip.payloadStart);
  return { start: ip.payloadStart, pseudo, identification: -1 };
}

const fields = fc.record({
  version: fc.constantFrom(4 as const, 6 as const),
  length: fc.integer({ min: 1, max: 20_000 }),
  size: fc.integer({ min: 200, max: 1_500 }),
  sequence: fc.nat(0xffff_ffff),
  flags: fc.nat(0xff).map((flags) => flags & ~TcpFlag.syn & ~TcpFlag.rst),
  timestamps: fc.boolean(),
  link: fc.boolean(),
});

describe("a segmented packet", () => {
  test("of TCP, joined again, is the original; every segment holds by itself", () => {
    fc.assert(
      fc.property(fields, (given) => {
        const packet = tcpPacket(given);
        const linkLength = given.link ? LINK.length : 0;
        const segments = cut(packet, packet.start + linkLength);
        expect(segments).toHaveLength(Math.ceil(given.length / given.size));
        const joined: number[] = [];
        segments.forEach((segment, i) => {
          const link = segment.bytes.subarray(segment.start, segment.start + linkLength);
          expect(link).toEqual(LINK.subarray(0, linkLength));
          const ip = transportOf(segment, segment.start + linkLength, IpProtocol.tcp);
          const tcp = new TcpView();
          expect(tcp.wrap(segment.view, ip.start, segment.end)).toBe("ok");
          expect(tcp.checksumHolds(ip.pseudo)).toBe(true);
          expect(tcp.sequence).toBe(seq(given.sequence + i * given.size));
          if (given.version === 4) expect(ip.identification).toBe((0xfffe + i) & 0xffff);
          const last = i === segments.length - 1;
          let flags = given.flags;
          if (!last) flags &= ~(TcpFlag.fin | TcpFlag.psh);
          if (i > 0) flags &= ~TcpFlag.cwr;
          expect(tcp.flags).toBe(flags);
          expect(tcp.options.toOptions().timestamps === null).toBe(!given.timestamps);
          expect([segment.gsoType, segment.checksum]).toEqual([GsoType.none, "complete"]);
          joined.push(...segment.bytes.subarray(tcp.payloadStart, tcp.payloadEnd));
        });
        expect(Uint8Array.from(joined)).toEqual(pattern(given.length));
      }),
      { seed, numRuns: 150 },
    );
  });

  test("of UDP, each a datagram of its own, has all the payload in order", () => {
    fc.assert(
      fc.property(fields, (given) => {
        const packet = udpPacket(given);
        const linkLength = given.link ? LINK.length : 0;
        const joined: number[] = [];
        for (const segment of cut(packet, packet.start + linkLength)) {
          const ip = transportOf(segment, segment.start + linkLength, IpProtocol.udp);
          const udp = new UdpView();
          expect(udp.wrap(segment.view, ip.start, segment.end)).toBe("ok");
          expect([udp.payloadEnd, udp.checksumHolds(ip.pseudo)]).toEqual([segment.end, true]);
          expect(udp.payloadLength).toBeLessThanOrEqual(given.size);
          joined.push(...segment.bytes.subarray(udp.payloadStart, udp.payloadEnd));
        }
        expect(Uint8Array.from(joined)).toEqual(pattern(given.length));
      }),
      { seed, numRuns: 100 },
    );
  });

  test("for a device that sums, has partial checksums which come out right", () => {
    const given = { version: 6, length: 3_000, size: 1_400 } as const;
    for (const segment of cut(tcpPacket(given), undefined, true)) {
      expect(segment.checksum).toBe("partial");
      expect(completeChecksum(segment)).toBe(true);
      const ip = transportOf(segment, segment.start, IpProtocol.tcp);
      const tcp = new TcpView();
      tcp.wrap(segment.view, ip.start, segment.end);
      expect(tcp.checksumHolds(ip.pseudo)).toBe(true);
    }
  });
});

describe("a packet that needs no cutting", () => {
  test("with a partial checksum, begun, comes once and summed", () => {
    const packet = ipv4Packet({ payload: new Uint8Array(8) });
    packet.checksum = "partial";
    packet.checksumStart = packet.start + 20;
    packet.checksumOffset = 6;
    const [only, ...more] = cut(packet);
    expect([only!.checksum, only!.view.getUint16(only!.start + 26)]).toEqual(["complete", 0xffff]);
    expect(more).toEqual([]);
  });

  test("whose words sum to zero, completed, says so by the spelling that its transport has", () => {
    for (const [offset, spelling] of [
      [6, 0xffff],
      [16, 0],
    ] as const) {
      const packet = ipv4Packet({ payload: Uint8Array.of(0xff, 0xff, ...new Uint8Array(18)) });
      packet.checksum = "partial";
      packet.checksumStart = packet.start + 20;
      packet.checksumOffset = offset;
      expect(completeChecksum(packet)).toBe(true);
      expect(packet.view.getUint16(packet.checksumStart + offset)).toBe(spelling);
    }
  });

  test("whose checksum is said to be past its end, completed, is refused", () => {
    const packet = ipv4Packet({ payload: new Uint8Array(8) });
    packet.checksum = "partial";
    packet.checksumStart = packet.end - 2;
    packet.checksumOffset = 1;
    expect(completeChecksum(packet)).toBe(false);
    expect(new Segmenter().begin(packet)).toBe(false);
  });
});

test("any bytes with any metadata, begun, never throw and end", () => {
  const types = [GsoType.tcpV4, GsoType.tcpV6, GsoType.udp, GsoType.udpSegments, 0x81, 99];
  const out = Packet.allocate();
  const segmenter = new Segmenter();
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 120 }),
      fc.constantFrom(...types),
      fc.nat(40),
      fc.constantFrom(0x45, 0x60, 0x4f, 0),
      fc.constantFrom(IpProtocol.tcp, IpProtocol.udp),
      (bytes, type, size, first, protocol) => {
        bytes[0] = first;
        if (bytes.length > 9) bytes[9] = bytes[6] = protocol;
        const packet = packetOf(bytes);
        packet.gsoType = type;
        packet.gsoSize = size;
        if (!segmenter.begin(packet)) return;
        let count = 0;
        while (segmenter.next(out)) expect(count++).toBeLessThan(121);
      },
    ),
    { seed, numRuns: 3_000 },
  );
});
