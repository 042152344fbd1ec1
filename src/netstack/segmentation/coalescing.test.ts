import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TcpFlag } from "../../wire/tcp.ts";
import { GsoType } from "../../wire/virtio-net.ts";
import { bytesIn, ipv4Packet, packetOf, pattern } from "../fragments/testing/ip-packets.ts";
import { Packet } from "../packet.ts";
import { Coalescer } from "./coalescing.ts";
import { Segmenter } from "./segmentation.ts";
import { type Fields, LINK, tcpPacket } from "./testing/transport-packets.ts";

const seed = 6864;

function cut(packet: Packet, networkStart = packet.start): Packet[] {
  const segmenter = new Segmenter();
  const all: Packet[] = [];
  if (!segmenter.begin(packet, networkStart)) return all;
  for (let out = Packet.allocate(); segmenter.next(out); out = Packet.allocate()) all.push(out);
  return all;
}

interface Seen {
  readonly length: number;
  readonly size: number;
  readonly packet: Packet;
}

/** What goes on when these come in one batch. */
function through(packets: readonly Packet[], ethernet = false, flows = 8): Seen[] {
  const seen: Seen[] = [];
  const sink = {
    onPacket: (packet: Packet) =>
      void seen.push({ length: packet.length, size: packet.gsoSize, packet: packet.clone() }),
  };
  const coalescer = new Coalescer(sink, ethernet, flows);
  for (const packet of packets) coalescer.push(packet);
  coalescer.flush();
  return seen;
}

const train = (fields: Partial<Fields> = {}): Packet[] =>
  cut(tcpPacket({ version: 4, length: 5_000, size: 1_000, flags: TcpFlag.ack, ...fields }));

/** The bytes but for the 16 bits at `field`: a partial checksum is not the original's. */
function without(bytes: Uint8Array, field: number): Uint8Array {
  bytes.fill(0, field, field + 2);
  return bytes;
}

/** Headers of the packets that `train` makes. */
const HEADERS = 40;

describe("segments of one batch", () => {
  test("cut from a packet, in order, are that packet again, and cut again the same segments", () => {
    const fields = fc.record({
      version: fc.constantFrom(4 as const, 6 as const),
      length: fc.integer({ min: 1, max: 60_000 }),
      size: fc.integer({ min: 200, max: 1_500 }),
      sequence: fc.nat(0xffff_ffff),
      flags: fc.constantFrom(TcpFlag.ack, TcpFlag.ack | TcpFlag.psh),
      timestamps: fc.boolean(),
      link: fc.boolean(),
    });
    fc.assert(
      fc.property(fields, (given) => {
        const packet = tcpPacket(given);
        if (given.link && given.version === 6) packet.view.setUint16(packet.start + 12, 0x86dd);
        const network = packet.start + (given.link ? LINK.length : 0);
        const segments = cut(packet, network);
        const original = segments.map(bytesIn);
        const [merged, ...more] = through(segments, given.link);
        expect(more).toEqual([]);
        const back = merged!.packet;
        if (segments.length > 1) {
          const field = network - packet.start + (given.version === 4 ? 20 : 40) + 16;
          expect(without(bytesIn(back), field)).toEqual(without(bytesIn(packet), field));
          expect([back.gsoSize, back.checksum]).toEqual([given.size, "partial"]);
          expect(back.gsoType).toBe(given.version === 4 ? GsoType.tcpV4 : GsoType.tcpV6);
        }
        const again = cut(back, back.start + (given.link ? LINK.length : 0));
        expect(again.map(bytesIn)).toEqual(original);
      }),
      { seed, numRuns: 150 },
    );
  });

  test("with one missing, are two packets", () => {
    const [a, b, , d, e] = train();
    expect(through([a!, b!, d!, e!]).map(({ length }) => length - HEADERS)).toEqual([2_000, 2_000]);
  });

  test("of two flows, mixed, are merged apart", () => {
    const other = train().map((packet) => {
      const port = packet.view.getUint16(packet.start + 20);
      packet.view.setUint16(packet.start + 20, port + 1);
      // The checksum follows (RFC 1624), one port up, one sum down.
      packet.checksum = "verified";
      return packet;
    });
    const mixed = train().flatMap((packet, i) => [packet, other[i]!]);
    expect(through(mixed).map(({ length }) => length - HEADERS)).toEqual([5_000, 5_000]);
    // Where there is room for one flow only, each pushes the other out.
    expect(through(mixed, false, 1)).toHaveLength(10);
  });

  test("with a pure ACK or FIN between them, stay in order", () => {
    const [a, b, c, d] = train({ length: 4_000 });
    const fin = train({ length: 1, flags: TcpFlag.ack | TcpFlag.fin })[0]!;
    const lengths = through([a!, b!, fin, c!, d!]).map(({ length }) => length - HEADERS);
    expect(lengths).toEqual([2_000, 1, 2_000]);
  });

  test("longer than 64 KiB together, are several packets", () => {
    const first = train({ length: 60_000 });
    const second = train({ length: 60_000, sequence: 60_001 });
    const lengths = through([...first, ...second]).map(({ length }) => length);
    expect(lengths.reduce((sum, length) => sum + length - HEADERS, 0)).toBe(120_000);
    expect(lengths).toHaveLength(2);
    for (const length of lengths) expect(length).toBeLessThanOrEqual(65_535);
  });

  test.each([
    ["acknowledgment", 20 + 11],
    ["window", 20 + 15],
    ["TTL", 8],
    ["traffic class", 1],
    ["identification", 5],
    ["timestamp", 20 + 31],
  ])("that differ in their %s, are not merged", (_, offset) => {
    const [a, b] = train({ length: 2_000, timestamps: true });
    b!.bytes[b!.start + offset]! ^= 3;
    // As a device would vouch: what is compared is the headers.
    b!.checksum = "verified";
    expect(through([a!, b!])).toHaveLength(2);
  });

  test("with a wrong checksum, go on as they are, for TCP to drop", () => {
    const [a, b, c] = train({ length: 3_000 });
    b!.bytes[b!.end - 1]! ^= 1;
    const seen = through([a!, b!, c!]);
    expect(seen.map(({ packet }) => packet.checksum)).toEqual(["verified", "complete", "verified"]);
  });

  test("that were pushed, go on at once", () => {
    const seen: number[] = [];
    const coalescer = new Coalescer({ onPacket: ({ length }) => void seen.push(length) }, false);
    for (const packet of train({ flags: TcpFlag.ack | TcpFlag.psh })) coalescer.push(packet);
    expect(seen).toEqual([5_000 + HEADERS]);
  });
});

test("padding behind a short segment, merged, is left out", () => {
  const [a, b] = train({ length: 1_010 });
  b!.end += 10;
  expect(through([a!, b!]).map(({ length }) => length - HEADERS)).toEqual([1_010]);
});

test("any frames, pushed, come out, one way or the other, and nothing throws", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 6 }),
      fc.boolean(),
      (list, ip) => {
        const packets = list.map((bytes, i) => {
          const frame = ip ? bytesIn(ipv4Packet({ payload: bytes, protocol: 6 })) : bytes;
          return packetOf(i % 2 === 0 ? frame : Uint8Array.from([...LINK, ...frame]));
        });
        const seen = through(packets, ip);
        expect(seen.length).toBeLessThanOrEqual(packets.length);
        expect(through(train().concat(packets)).length).toBeGreaterThan(0);
      },
    ),
    { seed, numRuns: 1_000 },
  );
  expect(through([packetOf(pattern(0))])).toHaveLength(1);
});
