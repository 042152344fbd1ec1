import type { Ipv6Words } from "./ipv6-address.ts";

/**
 * The Internet checksum (RFC 1071). A sum here is a folded ones' complement sum, 0 to 0xffff, of
 * 16-bit big-endian words. Sums compose: `sum16(dv, b, c, sum16(dv, a, b))` is the sum of [a, c)
 * where b − a is even. A checksum is the complement of a sum.
 */

/** The sum of dv[start, end) on top of `initial`; an odd last byte is padded with zero. */
export function sum16(dv: DataView, start: number, end: number, initial = 0): number {
  // Words are added as the machine has them, little-endian, and swapped once at the end (RFC 1071 §2 (B):
  // the sum is independent of byte order). Two sums suffice: that of the words, modulo 2³², and that of
  // their high halves, which cannot overflow within a block; the low halves' is what is left.
  let total = 0;
  let i = start;
  while (i < end) {
    const stop = end - i > BLOCK ? i + BLOCK : end;
    const unrolled = stop - 15;
    let words = 0;
    let high = 0;
    for (; i < unrolled; i += 16) {
      const a = dv.getInt32(i, true);
      const b = dv.getInt32(i + 4, true);
      const c = dv.getInt32(i + 8, true);
      const d = dv.getInt32(i + 12, true);
      words = (words + a + b + c + d) | 0;
      high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
    }
    let low = (words - (high << 16)) | 0;
    for (; i + 1 < stop; i += 2) low = (low + dv.getUint16(i, true)) | 0;
    if (i < stop) low = (low + dv.getUint8(i++)) | 0;
    total = fold(total + fold(low) + fold(high));
  }
  return fold(swapSum(total) + initial);
}

/** Sums of consecutive ranges as one; the first range must have an even length (see `swapSum`). */
export const addSums = (a: number, b: number): number => fold(a + b);

/** The sum of a range that starts at an odd place of what is summed (RFC 1071 §2 (B)). */
export const swapSum = (sum: number): number => ((sum & 0xff) << 8) | (sum >>> 8);

/** The checksum field for what has this sum (with the field itself taken as zero). */
export const checksumOf = (sum: number): number => ~sum & 0xffff;

/** The checksum of dv[start, end) on top of `initial`, for instance a pseudo header. */
export const checksum16 = (dv: DataView, start: number, end: number, initial = 0): number =>
  ~sum16(dv, start, end, initial) & 0xffff;

/** Whether dv[start, end), which includes its checksum field, is as it was sent (RFC 1071 §1 (3)). */
export const verifies = (dv: DataView, start: number, end: number, initial = 0): boolean =>
  sum16(dv, start, end, initial) === 0xffff;

/**
 * The sum of the IPv4 pseudo header of TCP and UDP (RFC 9293 §3.1, RFC 768). Addresses are 32-bit
 * numbers of either sign; `length` is that of the transport's header and payload.
 */
export function pseudoSumV4(
  source: number,
  destination: number,
  protocol: number,
  length: number,
): number {
  return fold(
    (source >>> 16) +
      (source & 0xffff) +
      (destination >>> 16) +
      (destination & 0xffff) +
      (protocol & 0xff) +
      (length & 0xffff),
  );
}

/**
 * The sum of the IPv6 pseudo header (RFC 8200 §8.1), its addresses read at dv[at, at + 32): source,
 * then destination, as an IPv6 header has them. A packet with a routing header wants the final
 * destination instead: see `pseudoSumWords`.
 */
export function pseudoSumV6(dv: DataView, at: number, nextHeader: number, length: number): number {
  return sum16(dv, at, at + 32, fold((length >>> 16) + (length & 0xffff) + (nextHeader & 0xff)));
}

/** The sum of the IPv6 pseudo header with addresses given as words. */
export function pseudoSumWords(
  source: Ipv6Words,
  destination: Ipv6Words,
  nextHeader: number,
  length: number,
): number {
  let sum = (length >>> 16) + (length & 0xffff) + (nextHeader & 0xff);
  for (let i = 0; i < 4; i++) {
    sum += (source[i]! >>> 16) + (source[i]! & 0xffff);
    sum += (destination[i]! >>> 16) + (destination[i]! & 0xffff);
  }
  return fold(sum);
}

/** RFC 1624 §3, equation 3: the checksum after one 16-bit word of the data changed. */
export const adjustChecksum = (checksum: number, before: number, after: number): number =>
  ~fold((~checksum & 0xffff) + (~before & 0xffff) + (after & 0xffff)) & 0xffff;

/** The same for a 32-bit field that starts at an even place, such as an IPv4 address. */
export const adjustChecksum32 = (checksum: number, before: number, after: number): number =>
  ~fold(
    (~checksum & 0xffff) +
      (~before & 0xffff) +
      (~before >>> 16) +
      (after & 0xffff) +
      (after >>> 16),
  ) & 0xffff;

/** 16,384 words of 32 bits: their halves, added up, stay below 2³⁰, which V8 keeps unboxed. */
const BLOCK = 0x1_0000;

/** An unsigned 32-bit sum as 16 bits, carries added back (RFC 1071 §2 (A)). */
function fold(sum: number): number {
  const once = (sum >>> 16) + (sum & 0xffff);
  return (once >>> 16) + (once & 0xffff);
}
