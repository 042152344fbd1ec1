import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { Packet } from "../packet.ts";
import { Fragmenter } from "./fragmentation.ts";
import { Reassembler } from "./reassembler.ts";
import {
  bytesIn,
  fragmentHeaderAt,
  inboundOf,
  ipv4Packet,
  ipv6Packet,
  packetOf,
  pattern,
} from "./testing/ip-packets.ts";
import { VirtualContext } from "./testing/virtual-context.ts";

const seed = 815;

function cut(packet: Packet, mtu: number, identification = 0xabcd_ef01): Packet[] {
  const fragmenter = new Fragmenter();
  const out = Packet.allocate();
  const all: Packet[] = [];
  if (!fragmenter.begin(packet, mtu, identification)) return all;
  while (fragmenter.next(out)) all.push(packetOf(bytesIn(out)));
  return all;
}

/** What comes out when these packets go in, in their order. */
function join(reassembler: Reassembler, fragments: readonly Packet[]): Uint8Array[] {
  const whole: Uint8Array[] = [];
  for (const fragment of fragments) {
    const inbound = inboundOf(fragment);
    const done =
      inbound.version === 4
        ? reassembler.addIpv4(inbound)
        : reassembler.addIpv6(inbound, fragmentHeaderAt(fragment));
    if (done !== null) whole.push(bytesIn(done));
  }
  return whole;
}

/** Hop-by-hop options (padding), a routing header without segments left, and a datagram. */
function extended(payload: Uint8Array): Uint8Array {
  const headers = Uint8Array.from(
    [
      [IpProtocol.routing, 0, 1, 4, 0, 0, 0, 0],
      [IpProtocol.destinationOptions, 0, 4, 0, 0, 0, 0, 0],
      [IpProtocol.udp, 0, 1, 4, 0, 0, 0, 0],
    ].flat(),
  );
  return Uint8Array.from([...headers, ...payload]);
}

const option = fc
  .tuple(fc.constantFrom(0x94, 0x44, 0x07, 0x86), fc.uint8Array({ maxLength: 8 }))
  .map(([type, data]) => ({ type, data }));

const whole4 = fc
  .record({
    length: fc.integer({ min: 1, max: 9_000 }),
    options: fc.array(option, { maxLength: 4 }),
    ecn: fc.nat(3),
  })
  .map(({ length, options, ecn }) => ipv4Packet({ payload: pattern(length), options, ecn }));
const whole6 = fc
  .record({ length: fc.integer({ min: 8, max: 9_000 }), ecn: fc.nat(3), ext: fc.boolean() })
  .map(({ length, ecn, ext }) =>
    ext
      ? ipv6Packet({ payload: extended(pattern(length)), nextHeader: IpProtocol.hopByHop, ecn })
      : ipv6Packet({ payload: pattern(length), ecn }),
  );
const mtu = fc.integer({ min: 576, max: 2_000 });
/** An order of arrival, with repetitions. */
const shuffle = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 40 });

function reordered(fragments: readonly Packet[], draws: readonly number[]): Packet[] {
  const repeated = draws.slice(0, 10).map((draw) => fragments[draw % fragments.length]!);
  return [...fragments, ...repeated]
    .map((fragment, i) => ({ fragment, key: (draws[i % draws.length]! * (i + 7)) % 1009 }))
    .sort((a, b) => a.key - b.key)
    .map(({ fragment }) => fragment);
}

describe("fragments", () => {
  test.each([
    ["IPv4", whole4],
    ["IPv6", whole6],
  ])("of %s, in any order and some of them twice, are the packet again", (_, whole) => {
    fc.assert(
      fc.property(whole, mtu, shuffle, (packet, size, draws) => {
        const context = new VirtualContext();
        const reassembler = new Reassembler(context, () => {});
        const original = bytesIn(packet);
        const fragments = cut(packet, size);
        for (const fragment of fragments) expect(fragment.length).toBeLessThanOrEqual(size);
        if (fragments.length < 2) return;
        const [once, ...again] = join(reassembler, reordered(fragments, draws));
        expect(once).toEqual(original);
        // Repetitions that came after the last one may be a whole datagram, too.
        for (const bytes of again) expect(bytes).toEqual(original);
      }),
      { seed, numRuns: 200 },
    );
  });

  test("of IPv4 options, later ones, carry only those with the copied flag", () => {
    const packet = ipv4Packet({
      payload: pattern(3_000),
      options: [
        { type: 0x07, data: new Uint8Array(5) },
        { type: 0x94, data: new Uint8Array(2) },
      ],
    });
    const [first, second] = cut(packet, 1_500);
    expect(first!.view.getUint8(first!.start) & 0x0f).toBe(8);
    expect(second!.view.getUint8(second!.start) & 0x0f).toBe(6);
    expect(second!.view.getUint8(second!.start + 20)).toBe(0x94);
    for (const fragment of [first!, second!]) expect(() => inboundOf(fragment)).not.toThrow();
  });

  test("of a fragment, cut again on a smaller link, join with its siblings", () => {
    const packet = ipv4Packet({ payload: pattern(4_000) });
    const original = bytesIn(packet);
    const twice = cut(packet, 1_500).flatMap((fragment) => cut(fragment, 576));
    const reassembler = new Reassembler(new VirtualContext(), () => {});
    expect(join(reassembler, twice)).toEqual([original]);
  });

  test("of IPv6 headers before a routing header stay in front of the fragment header", () => {
    const payload = extended(pattern(3_000));
    const [first] = cut(ipv6Packet({ payload, nextHeader: IpProtocol.hopByHop }), 1_280);
    expect(fragmentHeaderAt(first!) - first!.start).toBe(40 + 16);
    // What is to be looked at by the destination only goes into the first fragment's data.
    expect(first!.view.getUint8(first!.start + 56)).toBe(IpProtocol.destinationOptions);
  });

  test("a partial checksum, cut, is completed before", () => {
    const packet = ipv4Packet({ payload: new Uint8Array(2_000) });
    packet.checksum = "partial";
    packet.checksumStart = packet.start + 20;
    packet.checksumOffset = 6;
    packet.view.setUint16(packet.start + 26, 0x0102);
    const [first] = cut(packet, 1_500);
    expect(first!.view.getUint16(first!.start + 26)).toBe(0xfefd);
    expect(first!.checksum).toBe("complete");
  });

  test.each([
    ["IPv4 with 20 bytes of header", ipv4Packet({ payload: pattern(100) }), 27],
    ["IPv6", ipv6Packet({ payload: pattern(100) }), 55],
    ["nothing", packetOf(new Uint8Array(0)), 1_500],
    ["garbage", packetOf(pattern(40)), 1_500],
  ])("an MTU or packet that cannot be (%s), begun, is refused", (_, packet, size) => {
    expect(new Fragmenter().begin(packet, size, 1)).toBe(false);
  });
});
