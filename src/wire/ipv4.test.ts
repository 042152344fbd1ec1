import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IpProtocol } from "./ip-protocol.ts";
import { emitIpv4, type Ipv4Repr, Ipv4View, ipv4Length, parseIpv4 } from "./ipv4.ts";
import { Ipv4Options, Ipv4OptionType, parseIpv4Options } from "./ipv4-options.ts";
import { hex, octets, u8, u16, u32 } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";

const reprs: fc.Arbitrary<Ipv4Repr> = fc.record({
  dscp: fc.nat(63),
  ecn: fc.nat(3),
  identification: u16,
  dontFragment: fc.boolean(),
  moreFragments: fc.boolean(),
  fragmentOffset: fc.nat(8191).map((units) => units * 8),
  ttl: u8,
  protocol: u8,
  source: u32,
  destination: u32,
  options: fc.array(fc.record({ type: fc.integer({ min: 2, max: 255 }), data: octets(11) }), {
    maxLength: 3,
  }),
  payloadLength: fc.nat(60),
});

/** With a payload of that many zeros. */
function emit(repr: Ipv4Repr, dv: DataView, start: number): number {
  if (start + ipv4Length(repr) + repr.payloadLength > dv.byteLength) return -1;
  const payload = emitIpv4(repr, dv, start);
  for (let i = 0; i < repr.payloadLength; i++) dv.setUint8(payload + i, 0);
  return payload + repr.payloadLength;
}

/** Its checksum, b1e6, is right. */
const PLAIN = "4500 003c 1c46 4000 4006 b1e6 ac10 0a63 ac10 0a0c";

describe("ipv4", () => {
  viewLaws({
    seed: 791,
    view: () => new Ipv4View(),
    reprs,
    emit,
    length: (repr) => ipv4Length(repr) + repr.payloadLength,
    parse: parseIpv4,
  });

  test("a header, read, gives its fields and verifies", () => {
    const dv = hex(PLAIN + "00".repeat(40));
    const view = new Ipv4View();
    expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
    expect([view.source, view.destination]).toEqual([0xac10_0a63, 0xac10_0a0c]);
    expect([view.ttl, view.protocol]).toEqual([64, IpProtocol.tcp]);
    expect([view.dontFragment, view.isFragment]).toEqual([true, false]);
    expect([view.payloadStart, view.payloadEnd]).toEqual([20, 60]);
    expect(view.checksumVerifies).toBe(true);
    view.ttl = 63;
    expect(view.checksumVerifies).toBe(false);
    expect(parseIpv4(view)).toBeNull();
    view.fillChecksum();
    expect(view.checksumVerifies).toBe(true);
  });

  test("a packet forwarded, its TTL one less, verifies still", () => {
    fc.assert(
      fc.property(reprs, (repr) => {
        const dv = new DataView(new ArrayBuffer(160));
        emit({ ...repr, ttl: Math.max(repr.ttl, 1) }, dv, 0);
        const view = new Ipv4View();
        view.wrap(dv, 0, 160);
        view.decrementTtl();
        expect(view.ttl).toBe(Math.max(repr.ttl, 1) - 1);
        expect(view.checksumVerifies).toBe(true);
      }),
      { seed: 1624 },
    );
  });

  test.each([
    ["", "truncated"],
    ["65", "unsupported"],
    ["44", "malformed"],
    ["45", "truncated"],
    ["4500 0013 0000 0000 4006 0000 0a00 0001 0a00 0002", "malformed"],
    ["4500 0015 0000 0000 4006 0000 0a00 0001 0a00 0002", "truncated"],
    ["4600 0018 0000 0000 4006 0000 0a00 0001 0a00 0002", "truncated"],
  ])("octets %s, wrapped, are %s", (text, status) => {
    const dv = hex(text);
    expect(new Ipv4View().wrap(dv, 0, dv.byteLength)).toBe(status);
  });

  test("options, walked, leave padding out and end at the end of the list", () => {
    const dv = hex("01 9404 0000 01 00 8303 04 00 00");
    const walk = new Ipv4Options();
    walk.reset(dv, 0, dv.byteLength);
    expect(walk.step()).toBe("ok");
    expect([walk.type, walk.copied, walk.dataStart, walk.dataEnd]).toEqual([
      Ipv4OptionType.routerAlert,
      true,
      3,
      5,
    ]);
    expect(walk.step()).toBe("end");
  });

  test.each(["94", "9401 0000", "9400 0000", "9405 0000", "01 01 01 94"])(
    "options %s, with a wrong length, are refused",
    (text) => {
      const dv = hex(text);
      expect(parseIpv4Options(dv, 0, dv.byteLength)).toBeNull();
    },
  );
});
