import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseIp } from "../core/address.ts";
import { emitIpv6, type Ipv6Repr, Ipv6View, ipv6Length, parseIpv6 } from "./ipv6.ts";
import {
  copyIpv6,
  ipv6FromText,
  ipv6Text,
  isLinkLocalIpv6,
  isMulticastIpv6,
  isUnspecifiedIpv6,
  readIpv6,
  sameIpv6,
  solicitedNode,
} from "./ipv6-address.ts";
import { hex, ipv6, octets, u8 } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";

const reprs: fc.Arbitrary<Ipv6Repr> = fc.record({
  dscp: fc.nat(63),
  ecn: fc.nat(3),
  flowLabel: fc.nat(0xf_ffff),
  payloadLength: fc.nat(60),
  nextHeader: u8,
  hopLimit: u8,
  source: ipv6,
  destination: ipv6,
});

const words = (text: string) => ipv6FromText(parseIp(text)!)!;

describe("ipv6", () => {
  viewLaws({
    seed: 8200,
    view: () => new Ipv6View(),
    reprs,
    emit: (repr, dv, start) => {
      if (start + 40 + repr.payloadLength > dv.byteLength) return -1;
      const payload = emitIpv6(repr, dv, start);
      for (let i = 0; i < repr.payloadLength; i++) dv.setUint8(payload + i, 0);
      return payload + repr.payloadLength;
    },
    length: (repr) => ipv6Length() + repr.payloadLength,
    parse: parseIpv6,
  });

  test("a header, read, gives its fields", () => {
    const dv = hex(
      `6ab12345 0002 3a ff ${"fe80".padEnd(32, "1")} ${"ff02".padEnd(32, "0")} aabb cc`,
    );
    const view = new Ipv6View();
    expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
    expect([view.dscp, view.ecn, view.flowLabel]).toEqual([0x2a, 3, 0x1_2345]);
    expect([view.nextHeader, view.hopLimit]).toEqual([58, 255]);
    expect([view.payloadStart, view.payloadEnd]).toEqual([40, 42]);
    expect(view.isFrom([0xfe80_1111, 0x1111_1111, 0x1111_1111, 0x1111_1111])).toBe(true);
    expect(view.isFor([0xff02_0000, 0, 0, 1])).toBe(false);
    expect([view.sourceWord(0), view.destinationWord(0)]).toEqual([0xfe80_1111, 0xff02_0000]);
    view.hopLimit = 3;
    view.ecn = 1;
    expect([view.hopLimit, view.ecn, view.dscp, view.flowLabel]).toEqual([3, 1, 0x2a, 0x1_2345]);
  });

  test("octets of version 4, and headers cut, are refused", () => {
    expect(new Ipv6View().wrap(hex("45"), 0, 1)).toBe("unsupported");
    expect(new Ipv6View().wrap(hex("60"), 0, 1)).toBe("truncated");
    expect(new Ipv6View().wrap(hex("60"), 0, 0)).toBe("truncated");
  });
});

describe("ipv6 addresses", () => {
  test("any words, as text and back, are the same", () => {
    fc.assert(
      fc.property(ipv6, (address) => {
        expect(words(ipv6Text(address))).toEqual(address);
      }),
      { seed: 5952 },
    );
  });

  test("kinds of addresses are told apart", () => {
    expect(isUnspecifiedIpv6(words("::"))).toBe(true);
    expect(isUnspecifiedIpv6(words("::1"))).toBe(false);
    expect(isMulticastIpv6(words("ff02::1"))).toBe(true);
    expect(isMulticastIpv6(words("fe80::1"))).toBe(false);
    expect(["fe80::1", "febf::1"].every((text) => isLinkLocalIpv6(words(text)))).toBe(true);
    expect(isLinkLocalIpv6(words("fec0::1"))).toBe(false);
    expect(ipv6Text(solicitedNode(words("2001:db8::1:800:200e:8c6c")))).toBe("ff02::1:ff0e:8c6c");
    expect(ipv6FromText(parseIp("192.0.2.1")!)).toBeNull();
  });

  test("an address copied elsewhere is the same, one bit off is another", () => {
    fc.assert(
      fc.property(octets(16), fc.nat(127), (some, bit) => {
        const from = new DataView(new ArrayBuffer(20));
        some.forEach((byte, i) => {
          from.setUint8(i + 3, byte);
        });
        const to = new DataView(new ArrayBuffer(17));
        copyIpv6(from, 3, to, 1);
        expect(sameIpv6(from, 3, to, 1)).toBe(true);
        expect(readIpv6(to, 1)).toEqual(readIpv6(from, 3));
        to.setUint8(1 + (bit >>> 3), to.getUint8(1 + (bit >>> 3)) ^ (1 << (bit & 7)));
        expect(sameIpv6(from, 3, to, 1)).toBe(false);
      }),
      { seed: 4291 },
    );
  });
});
