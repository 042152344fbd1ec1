/**
 * The Huffman code of RFC 7541 appendix B. It is canonical: codes of one length are numbered in the
 * order of their symbols and go on from those one bit shorter, so the lengths say it all.
 */

/** Bits of the code of each octet, and of EOS at 256. */
export const CODE_BITS = Uint8Array.from(
  `
  13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28
  28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
  6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6
  5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10
  13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7
  7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6
  15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5
  6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28
  20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23
  24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
  22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23
  21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
  26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25
  19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
  20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23
  26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
  30
  `
    .trim()
    .split(/\s+/),
  Number,
);

export const EOS = 256;
export const LONGEST = 30;

/** The code of each symbol, in its low bits. */
export const CODES = new Int32Array(257);
/** By length: the first code, how many there are, and where their symbols start in SYMBOLS. */
export const FIRST_CODE = new Int32Array(LONGEST + 1);
export const CODE_COUNT = new Int32Array(LONGEST + 1);
export const FIRST_SYMBOL = new Int32Array(LONGEST + 1);
/** Symbols in the order of their codes. */
export const SYMBOLS = new Int32Array(257);

let code = 0;
let ordered = 0;
for (let bits = 1; bits <= LONGEST; bits++) {
  code <<= 1;
  FIRST_CODE[bits] = code;
  FIRST_SYMBOL[bits] = ordered;
  for (let symbol = 0; symbol <= EOS; symbol++) {
    if (CODE_BITS[symbol] !== bits) continue;
    CODES[symbol] = code++;
    SYMBOLS[ordered++] = symbol;
  }
  CODE_COUNT[bits] = ordered - FIRST_SYMBOL[bits]!;
}

/**
 * For each octet of input: symbol << 4 | bits, where a code of at most 8 bits starts it; else 0.
 */
export const SHORT = new Int32Array(256);
for (let symbol = 0; symbol < EOS; symbol++) {
  const bits = CODE_BITS[symbol]!;
  if (bits > 8) continue;
  const first = CODES[symbol]! << (8 - bits);
  for (let rest = 0; rest < 1 << (8 - bits); rest++) SHORT[first + rest] = (symbol << 4) | bits;
}
