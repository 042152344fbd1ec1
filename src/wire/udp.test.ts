import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pseudoSumV4 } from "./checksum.ts";
import { emitUdp, fillUdpChecksum, parseUdp, UDP_PROTOCOL, UdpView, udpLength } from "./udp.ts";

const seed = 768;
const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

describe("a UDP view", () => {
  test("any bytes, wrapped, give a status and a payload inside of them", () => {
    const view = new UdpView();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(8), (bytes, start) => {
        const end = bytes.length;
        if (view.wrap(viewOf(bytes), start, end) !== "ok") return;
        expect(view.payloadStart).toBe(start + 8);
        expect(view.payloadEnd).toBeLessThanOrEqual(end);
        expect(8 + view.payloadLength).toBe(view.length);
      }),
      { seed, numRuns: 1000 },
    );
  });

  test("a datagram, cut anywhere, is truncated; with bytes behind it, ends where it says", () => {
    const bytes = new Uint8Array(32);
    const dv = viewOf(bytes);
    emitUdp({ sourcePort: 53, destinationPort: 4000, payloadLength: 12 }, dv, 0);
    const view = new UdpView();
    for (let end = 0; end < 20; end++) expect(view.wrap(dv, 0, end)).toBe("truncated");
    expect(view.wrap(dv, 0, 32)).toBe("ok");
    expect(view.payloadEnd).toBe(20);
  });

  test.each([0, 7])("a length field of %i is malformed", (length) => {
    const dv = viewOf(new Uint8Array(20));
    dv.setUint16(4, length);
    expect(new UdpView().wrap(dv, 0, 20)).toBe("malformed");
  });
});

describe("a UDP repr", () => {
  const port = fc.nat(0xffff);
  test("any, emitted and parsed, is the same, and its checksum holds until a bit turns", () => {
    const bytes = new Uint8Array(80);
    const dv = viewOf(bytes);
    const view = new UdpView();
    fc.assert(
      fc.property(port, port, fc.uint8Array({ maxLength: 50 }), fc.nat(), (from, to, data, bit) => {
        const repr = { sourcePort: from, destinationPort: to, payloadLength: data.length };
        const start = 3;
        const end = start + udpLength(repr);
        bytes.set(data, emitUdp(repr, dv, start));
        const pseudo = pseudoSumV4(0x7f00_0001, 0x0a00_0001, UDP_PROTOCOL, udpLength(repr));
        fillUdpChecksum(dv, start, end, pseudo);
        expect(view.wrap(dv, start, end)).toBe("ok");
        expect(parseUdp(view)).toEqual(repr);
        expect(view.checksum).not.toBe(0);
        expect(view.checksumHolds(pseudo)).toBe(true);
        const at = bit % ((end - start) * 8);
        bytes[start + (at >>> 3)]! ^= 1 << (at & 7);
        if (view.wrap(dv, start, end) === "ok" && view.length === end - start) {
          expect(view.checksumHolds(pseudo)).toBe(false);
        }
      }),
      { seed, numRuns: 500 },
    );
  });

  test("a sum of all ones, filled in, goes out as ffff and not as none", () => {
    const dv = viewOf(new Uint8Array(10));
    emitUdp({ sourcePort: 0, destinationPort: 0, payloadLength: 2 }, dv, 0);
    dv.setUint16(8, 0xffff - 10);
    fillUdpChecksum(dv, 0, 10, 0);
    expect(dv.getUint16(6)).toBe(0xffff);
  });

  test("one that does not fit, emitted, is refused before anything is written", () => {
    const dv = viewOf(new Uint8Array(20));
    const repr = { sourcePort: 1, destinationPort: 2, payloadLength: 13 };
    expect(emitUdp(repr, dv, 0)).toBe(-1);
    expect(emitUdp({ ...repr, payloadLength: 65_528 }, viewOf(new Uint8Array(70_000)), 0)).toBe(-1);
    expect(dv.getUint16(0)).toBe(0);
  });
});
