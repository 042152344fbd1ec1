import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addSums,
  adjustChecksum,
  adjustChecksum32,
  checksum16,
  checksumOf,
  pseudoSumV4,
  pseudoSumV6,
  pseudoSumWords,
  sum16,
  swapSum,
  verifies,
} from "./checksum.ts";
import { readIpv6 } from "./ipv6-address.ts";

const seed = 1071;
const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** RFC 1071 word by word, with nothing clever. */
function plainSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i]! * 256 + (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

describe("the checksum", () => {
  test("the example of RFC 1071 §3, summed, is ddf2", () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    expect(sum16(viewOf(bytes), 0, 8)).toBe(0xddf2);
    expect(checksum16(viewOf(bytes), 0, 8)).toBe(0x220d);
    expect(checksumOf(0xddf2)).toBe(0x220d);
  });

  test("any bytes, summed, give what adding word by word gives", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(sum16(viewOf(bytes), 0, bytes.length)).toBe(plainSum(bytes));
      }),
      { seed },
    );
  });

  test("the largest values, over several blocks, do not overflow", () => {
    for (const length of [65_535, 65_536, 65_537, 200_001]) {
      const bytes = new Uint8Array(length).fill(0xff);
      expect(sum16(viewOf(bytes), 0, length)).toBe(plainSum(bytes));
    }
  });

  test("a range split in two, summed in turn, gives the sum of the whole", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(), (bytes, cut) => {
        const dv = viewOf(bytes);
        const at = bytes.length === 0 ? 0 : cut % bytes.length;
        const whole = sum16(dv, 0, bytes.length);
        const tail = sum16(dv, at, bytes.length);
        expect(addSums(sum16(dv, 0, at), at % 2 === 0 ? tail : swapSum(tail))).toBe(whole);
        if (at % 2 === 0) expect(sum16(dv, at, bytes.length, sum16(dv, 0, at))).toBe(whole);
      }),
      { seed },
    );
  });

  test("a word changed, adjusted, is what summing anew gives", () => {
    const bytes = fc.uint8Array({ minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(bytes, fc.nat(0xffff), fc.nat(0xffff_ffff), (data, word, long) => {
        // A first word that is never zero: sums of all zeros are the one case with two spellings.
        const dv = viewOf(Uint8Array.of(1, 1, ...data));
        const before = checksum16(dv, 0, 10);
        const [oldWord, oldLong] = [dv.getUint16(2), dv.getUint32(4)];
        dv.setUint16(2, word);
        const after = checksum16(dv, 0, 10);
        expect(adjustChecksum(before, oldWord, word)).toBe(after);
        dv.setUint32(4, long);
        expect(adjustChecksum32(after, oldLong, long)).toBe(checksum16(dv, 0, 10));
      }),
      { seed, numRuns: 500 },
    );
  });

  test("the example of RFC 1624 §4, adjusted, is 0000 and not ffff", () => {
    expect(adjustChecksum(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });

  test("pseudo headers, of both families, are the sums of their bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(65_535), (a, length) => {
        const dv = viewOf(a);
        const tail = [0, 0, length >>> 8, length & 0xff, 0, 0, 0, 58];
        const expected = plainSum(Uint8Array.of(...a, ...tail));
        expect(pseudoSumV6(dv, 0, 58, length)).toBe(expected);
        expect(pseudoSumWords(readIpv6(dv, 0), readIpv6(dv, 16), 58, length)).toBe(expected);
        const v4 = Uint8Array.of(...a.subarray(0, 8), 0, 17, length >>> 8, length & 0xff);
        expect(pseudoSumV4(dv.getUint32(0), dv.getInt32(4), 17, length)).toBe(plainSum(v4));
      }),
      { seed },
    );
  });

  test("a range with its checksum in it verifies, and with a bit turned does not", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 60 }), fc.nat(), (bytes, bit) => {
        const dv = viewOf(bytes);
        dv.setUint16(0, 0);
        dv.setUint16(0, checksum16(dv, 0, bytes.length));
        expect(verifies(dv, 0, bytes.length)).toBe(true);
        const at = bit % (bytes.length * 8);
        dv.setUint8(at >>> 3, dv.getUint8(at >>> 3) ^ (1 << (at & 7)));
        expect(verifies(dv, 0, bytes.length)).toBe(false);
      }),
      { seed },
    );
  });
});
