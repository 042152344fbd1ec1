import { HpackFault } from "./fault.ts";
import {
  CODE_BITS,
  CODE_COUNT,
  CODES,
  EOS,
  FIRST_CODE,
  FIRST_SYMBOL,
  LONGEST,
  SHORT,
  SYMBOLS,
} from "./huffman-code.ts";

/** Octets that `length` coded ones decode to at most: the shortest code has 5 bits. */
export const decodedBound = (length: number): number => ((length * 8) / 5) | 0;

/**
 * Decodes buf[start, end) to `out` at `at`, where there is room for `decodedBound` octets. Returns
 * the position behind the last one, or HpackFault.huffman (RFC 7541 §5.2).
 *
 * Codes of up to 8 bits, which all common octets have, take one load; longer ones are read bit by
 * bit.
 */
export function decodeHuffman(
  buf: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
): number {
  let pos = start;
  let acc = 0;
  let bits = 0;
  for (;;) {
    if (bits < 8) {
      if (pos === end) break;
      acc = ((acc & 0xff) << 8) | buf[pos++]!;
      bits += 8;
    }
    const entry = SHORT[(acc >> (bits - 8)) & 0xff]!;
    if (entry !== 0) {
      out[at++] = entry >> 4;
      bits -= entry & 15;
      continue;
    }
    const long = longCode(buf, pos * 8 - bits, end * 8);
    if (long === 0) {
      // 8 ones or more at the end are not padding; less than a code of them is not a symbol either.
      return HpackFault.huffman;
    }
    out[at++] = long & 0xff;
    const next = pos * 8 - bits + (long >> 8);
    pos = (next + 7) >> 3;
    bits = pos * 8 - next;
    acc = bits === 0 ? 0 : buf[pos - 1]!;
  }
  while (bits > 0) {
    const ones = (1 << (8 - bits)) - 1;
    const entry = SHORT[((acc << (8 - bits)) | ones) & 0xff]!;
    const length = entry & 15;
    if (entry === 0 || length > bits) break;
    out[at++] = entry >> 4;
    bits -= length;
  }
  const padding = (1 << bits) - 1;
  return (acc & padding) === padding ? at : HpackFault.huffman;
}

/**
 * The code of more than 8 bits at bit `from` as bits << 8 | symbol; 0 for EOS, or when it is cut
 * off.
 */
function longCode(buf: Uint8Array, from: number, end: number): number {
  let code = 0;
  for (let bits = 1; bits <= LONGEST; bits++) {
    const at = from + bits - 1;
    if (at >= end) return 0;
    code = (code << 1) | ((buf[at >> 3]! >> (7 - (at & 7))) & 1);
    const nth = code - FIRST_CODE[bits]!;
    if (nth < CODE_COUNT[bits]!) {
      const symbol = SYMBOLS[FIRST_SYMBOL[bits]! + nth]!;
      return symbol === EOS ? 0 : (bits << 8) | symbol;
    }
  }
  return 0;
}

/** Octets that buf[start, end) takes when coded. */
export function huffmanLength(buf: Uint8Array, start: number, end: number): number {
  let bits = 7;
  for (let i = start; i < end; i++) bits += CODE_BITS[buf[i]!]!;
  return bits >> 3;
}

/** Codes buf[start, end) to `out` at `at`; returns the position behind. */
export function encodeHuffman(
  buf: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
): number {
  let acc = 0;
  let bits = 0;
  for (let i = start; i < end; i++) {
    const octet = buf[i]!;
    const code = CODES[octet]!;
    let length = CODE_BITS[octet]!;
    if (length > 16) {
      // At most 7 bits wait: 16 more still fit a small integer.
      length -= 16;
      acc = (acc << 16) | (code >> length);
      bits += 16;
      while (bits >= 8) {
        bits -= 8;
        out[at++] = acc >> bits;
      }
      acc &= 0x7f;
    }
    acc = (acc << length) | (code & ((1 << length) - 1));
    bits += length;
    while (bits >= 8) {
      bits -= 8;
      out[at++] = acc >> bits;
    }
    acc &= 0x7f;
  }
  if (bits > 0) out[at++] = (acc << (8 - bits)) | ((1 << (8 - bits)) - 1);
  return at;
}
