import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seconds } from "../../core/time.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { Ipv4View } from "../../wire/ipv4.ts";
import { emitIpv6Fragment } from "../../wire/ipv6-fragment.ts";
import type { Packet } from "../packet.ts";
import { type ExpiredDatagram, Reassembler } from "./reassembler.ts";
import {
  bytesIn,
  fragmentHeaderAt,
  inboundOf,
  ipv4Packet,
  ipv6Packet,
  packetOf,
  pattern,
  someInterface,
} from "./testing/ip-packets.ts";
import { VirtualContext } from "./testing/virtual-context.ts";

const seed = 5722;

interface Slice {
  readonly offset: number;
  readonly length: number;
  readonly more: boolean;
  readonly id?: number;
  readonly ecn?: number;
  readonly salt?: number;
  readonly source?: number;
}

const piece4 = ({ offset, length, more, id, ecn, salt, source }: Slice): Packet =>
  ipv4Packet({
    payload: pattern(offset + length, salt).subarray(offset),
    fragmentOffset: offset,
    moreFragments: more,
    ...(id === undefined ? {} : { identification: id }),
    ...(ecn === undefined ? {} : { ecn }),
    ...(source === undefined ? {} : { source }),
  });

function piece6({ offset, length, more, id, ecn, salt }: Slice, nextHeader = 17): Packet {
  const payload = new Uint8Array(8 + length);
  const identification = id ?? 7;
  emitIpv6Fragment({ nextHeader, offset, more, identification }, new DataView(payload.buffer), 0);
  payload.set(pattern(offset + length, salt).subarray(offset), 8);
  return ipv6Packet({ payload, nextHeader: IpProtocol.fragment, ecn: ecn ?? 0 });
}

class Bench {
  readonly context: VirtualContext;
  readonly expired: ExpiredDatagram[] = [];
  readonly reassembler: Reassembler;

  constructor(limits: ConstructorParameters<typeof VirtualContext>[0] = {}) {
    this.context = new VirtualContext(limits);
    this.reassembler = new Reassembler(this.context, (datagram) => this.expired.push(datagram));
  }

  give(packet: Packet, from = someInterface()): Packet | null {
    const inbound = inboundOf(packet, from);
    return inbound.version === 4
      ? this.reassembler.addIpv4(inbound)
      : this.reassembler.addIpv6(inbound, fragmentHeaderAt(packet));
  }
}

describe.each([
  ["IPv4", piece4],
  ["IPv6", piece6],
])("a datagram of %s", (_, piece) => {
  const first = { offset: 0, length: 800, more: true };
  const second = { offset: 800, length: 800, more: true };
  const last = { offset: 1_600, length: 100, more: false };

  test("incomplete, its last hole filled, is whole; its place is free again", () => {
    const bench = new Bench();
    expect(bench.give(piece(last))).toBeNull();
    expect(bench.give(piece(first))).toBeNull();
    const whole = bench.give(piece(second))!;
    expect(bytesIn(whole).subarray(-1_700)).toEqual(pattern(1_700));
    expect(() => inboundOf(whole)).not.toThrow();
    expect([bench.reassembler.datagrams, bench.reassembler.bytes]).toEqual([0, 0]);
  });

  test.each([
    ["starts in another", { offset: 792, length: 808, more: true }],
    ["spans another", { offset: 0, length: 1_600, more: true }],
    ["is in another", { offset: 8, length: 16, more: true }],
    ["is another's range with other bytes", { ...first, salt: 1 }],
    ["is the last and ends before another", { offset: 400, length: 8, more: false }],
  ])("with a fragment that %s, is dropped, and all that follows", (_name, bad) => {
    const bench = new Bench();
    bench.give(piece(first));
    bench.give(piece(bad));
    for (const slice of [first, second, last]) expect(bench.give(piece(slice))).toBeNull();
    expect(bench.reassembler.datagrams).toBe(1);
    bench.context.pass(seconds(31));
    expect(bench.reassembler.datagrams).toBe(0);
    // No error is owed for what was dropped on purpose.
    expect(bench.expired).toEqual([]);
  });

  test.each([
    ["beyond the end", { offset: 1_696, length: 8, more: true }],
    ["with another end", { offset: 1_704, length: 8, more: false }],
  ])("whose last fragment came, given one %s, is dropped", (_name, bad) => {
    const bench = new Bench();
    bench.give(piece(last));
    bench.give(piece(bad));
    expect(bench.give(piece(first))).toBeNull();
    expect(bench.give(piece(second))).toBeNull();
  });

  test("with its first fragment, when time is over, is told of with that fragment", () => {
    const bench = new Bench();
    const packet = piece(first);
    const original = bytesIn(packet);
    bench.give(packet);
    bench.context.pass(seconds(29));
    bench.give(piece({ ...second, id: 9 }));
    expect(bench.expired).toEqual([]);
    bench.context.pass(seconds(2));
    expect(bench.expired.map((one) => bytesIn(one.first))).toEqual([original]);
    // RFC 1122 §3.3.2, RFC 8200 §4.5: none without the first one.
    bench.context.pass(seconds(30));
    expect(bench.expired).toHaveLength(1);
    expect([bench.reassembler.datagrams, bench.context.timers]).toEqual([0, 0]);
  });

  test("marked by congestion in part, is marked; where a part knew nothing of ECN, dropped", () => {
    const ends = [
      { ...first, ecn: 2 },
      { offset: 800, length: 8, more: false, ecn: 3 },
    ];
    const bench = new Bench();
    bench.give(piece(ends[0]!));
    const { view, start } = bench.give(piece(ends[1]!))!;
    expect((view.getUint16(start) >>> (view.getUint8(start) >>> 4 === 4 ? 0 : 4)) & 3).toBe(3);
    bench.give(piece({ ...ends[0]!, ecn: 0, id: 8 }));
    expect(bench.give(piece({ ...ends[1]!, id: 8 }))).toBeNull();
    expect(bench.reassembler.datagrams).toBe(0);
  });

  test("flooded by others, never takes more than the bounds; the oldest goes", () => {
    const limits = { fragmentedDatagrams: 20, fragmentBytes: 40_000, fragmentsPerDatagram: 6 };
    const bench = new Bench(limits);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(60), fc.nat(40), fc.integer({ min: 1, max: 180 }), fc.boolean()), {
          maxLength: 200,
        }),
        (drawn) => {
          for (const [id, at, units, more] of drawn) {
            bench.give(piece({ offset: at * 64, length: units * 8, more, id }));
            expect(bench.reassembler.datagrams).toBeLessThanOrEqual(20);
            expect(bench.reassembler.bytes).toBeLessThanOrEqual(40_000);
          }
          bench.context.pass(seconds(3));
        },
      ),
      { seed, numRuns: 100 },
    );
    bench.context.pass(seconds(31));
    expect([bench.reassembler.datagrams, bench.reassembler.bytes]).toEqual([0, 0]);
    expect(bench.context.timers).toBe(0);
  });

  test("newer than a full table's oldest, is completed", () => {
    const bench = new Bench({ fragmentedDatagrams: 2 });
    for (const id of [1, 2, 3]) bench.give(piece({ ...first, id }));
    const end = { offset: 800, length: 8, more: false };
    expect(bench.give(piece({ ...end, id: 3 }))).not.toBeNull();
    expect(bench.give(piece({ ...end, id: 1 }))).toBeNull();
  });

  test("of too many fragments, is dropped", () => {
    const bench = new Bench({ fragmentsPerDatagram: 4 });
    for (let i = 0; i < 5; i++) bench.give(piece({ offset: i * 8, length: 8, more: true }));
    expect(bench.give(piece({ offset: 40, length: 8, more: false }))).toBeNull();
  });
});

describe("a fragment of IPv4", () => {
  test("past 65,535 bytes (ping of death), or not in units of eight, is ignored", () => {
    const bench = new Bench();
    bench.give(piece4({ offset: 65_528, length: 8, more: false }));
    bench.give(piece4({ offset: 0, length: 12, more: true }));
    expect(bench.reassembler.datagrams).toBe(0);
  });

  test("of another source, protocol or identification, does not fill the hole", () => {
    const bench = new Bench();
    bench.give(piece4({ offset: 0, length: 8, more: true }));
    const end = { offset: 8, length: 8, more: false };
    expect(bench.give(piece4({ ...end, id: 1 }))).toBeNull();
    expect(bench.give(piece4({ ...end, source: 0x0a070009 }))).toBeNull();
    const other = { payload: pattern(8), fragmentOffset: 8, protocol: IpProtocol.tcp };
    expect(bench.give(ipv4Packet(other))).toBeNull();
    expect(bench.give(piece4(end))).not.toBeNull();
  });

  test("with the first one's options, whole, has them and a right checksum", () => {
    const bench = new Bench();
    const options = [{ type: 0x07, data: new Uint8Array(5) }];
    bench.give(ipv4Packet({ payload: pattern(16), options, moreFragments: true }));
    const whole = bench.give(piece4({ offset: 16, length: 5, more: false }))!;
    const view = new Ipv4View();
    expect(view.wrap(whole.view, whole.start, whole.end)).toBe("ok");
    expect([view.headerLength, view.totalLength, view.isFragment]).toEqual([28, 49, false]);
    expect(view.checksumVerifies).toBe(true);
  });
});

describe("a fragment of IPv6", () => {
  test("that is the whole, is handled alone (RFC 6946), whatever waits with its identification", () => {
    const bench = new Bench();
    bench.give(piece6({ offset: 0, length: 800, more: true }));
    const whole = bench.give(piece6({ offset: 0, length: 80, more: false }))!;
    expect(bytesIn(whole).subarray(40)).toEqual(pattern(80));
    expect(whole.view.getUint8(whole.start + 6)).toBe(IpProtocol.udp);
    expect(bench.give(piece6({ offset: 800, length: 8, more: false }))).not.toBeNull();
  });

  test.each([
    ["not in units of eight: payload length", { offset: 0, length: 12, more: true }, 17, 0, 4],
    ["past 65,535: offset", { offset: 65_528, length: 16, more: false }, 17, 0, 42],
    ["first without all of TCP's header", { offset: 0, length: 16, more: true }, 6, 3, 0],
    ["first within an extension header", { offset: 0, length: 8, more: true }, 60, 3, 0],
  ])("%s is at fault", (_, slice, nextHeader, code, pointer) => {
    const bench = new Bench();
    const packet = piece6(slice, nextHeader);
    if (nextHeader === 60) packet.view.setUint8(packet.start + 49, 3);
    expect(bench.give(packet)).toBeNull();
    expect(bench.reassembler.fault).toEqual({ code, pointer });
    expect(bench.reassembler.datagrams).toBe(0);
  });

  test("between link-local addresses, from another link, does not fill the hole", () => {
    const bench = new Bench();
    const local = (packet: Packet) => {
      packet.view.setUint32(packet.start + 8, 0xfe80_0000);
      return packet;
    };
    bench.give(local(piece6({ offset: 0, length: 8, more: true })), someInterface(1));
    const end = { offset: 8, length: 8, more: false };
    expect(bench.give(local(piece6(end)), someInterface(2))).toBeNull();
    expect(bench.give(local(piece6(end)), someInterface(1))).not.toBeNull();
  });
});

test("any bytes as fragments, given, never throw", () => {
  const bench = new Bench({ fragmentedDatagrams: 8 });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 40, maxLength: 120 }), fc.boolean(), (bytes, v4) => {
      bytes[0] = v4 ? 0x40 | (5 + (bytes[0]! % 5)) : 0x60;
      const packet = packetOf(bytes);
      const inbound = inboundOf(
        v4 ? ipv4Packet({ payload: bytes }) : ipv6Packet({ payload: bytes }),
      );
      inbound.packet = packet;
      inbound.headerStart = packet.start;
      inbound.payloadEnd = packet.end;
      if (v4) bench.reassembler.addIpv4(inbound);
      else bench.reassembler.addIpv6(inbound, packet.start + 40 + (bytes[1]! % 80));
    }),
    { seed, numRuns: 3_000 },
  );
});
