import type { Rng } from "../core/random.ts";

/** The 128-bit key of a SipHash, as four words, the low one of each half first. */
export type SipKey = readonly [k0Low: number, k0High: number, k1Low: number, k1High: number];

export const drawSipKey = (rng: Rng): SipKey => [
  rng.u32() | 0,
  rng.u32() | 0,
  rng.u32() | 0,
  rng.u32() | 0,
];

/**
 * SipHash-2-4 (Aumasson and Bernstein 2012) over 32-bit words, little-endian, as the reference has it
 * over the same bytes. A keyed pseudo-random function: who does not know the key can predict nothing.
 * Returns the low 32 bits, unsigned; `siphashHigh()` has the high ones of the same call.
 *
 * The 64-bit words are kept in halves, and those in local variables: a quarter of the time that it takes
 * with functions for the steps. Hence one loop over the blocks, the last of which is the finalisation.
 */
export function siphash(key: SipKey, words: Int32Array, length: number): number {
  let v0l = key[0] ^ 0x7073_6575;
  let v0h = key[1] ^ 0x736f_6d65;
  let v1l = key[2] ^ 0x6e64_6f6d;
  let v1h = key[3] ^ 0x646f_7261;
  let v2l = key[0] ^ 0x6e65_7261;
  let v2h = key[1] ^ 0x6c79_6765;
  let v3l = key[2] ^ 0x7974_6573;
  let v3h = key[3] ^ 0x7465_6462;
  const blocks = (length >> 1) + 1;
  for (let block = 0; block <= blocks; block++) {
    let low = 0;
    let top = 0;
    let rounds = 2;
    if (block < blocks) {
      const at = block * 2;
      if (at < length) low = words[at]!;
      top = at + 1 < length ? words[at + 1]! : (length * 4) << 24;
    } else {
      v2l ^= 0xff;
      rounds = 4;
    }
    v3l ^= low;
    v3h ^= top;
    // SipRound: add, rotate, xor. The carry is computed: a branch on it would be taken at random.
    for (; rounds > 0; rounds--) {
      let sum = (v0l + v1l) | 0;
      v0h = (v0h + v1h + (((v0l & v1l) | ((v0l | v1l) & ~sum)) >>> 31)) | 0;
      v0l = sum;
      let old = v1l;
      v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
      v1h = ((v1h << 13) | (old >>> 19)) ^ v0h;
      old = v0l;
      v0l = v0h;
      v0h = old;
      sum = (v2l + v3l) | 0;
      v2h = (v2h + v3h + (((v2l & v3l) | ((v2l | v3l) & ~sum)) >>> 31)) | 0;
      v2l = sum;
      old = v3l;
      v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
      v3h = ((v3h << 16) | (old >>> 16)) ^ v2h;
      sum = (v0l + v3l) | 0;
      v0h = (v0h + v3h + (((v0l & v3l) | ((v0l | v3l) & ~sum)) >>> 31)) | 0;
      v0l = sum;
      old = v3l;
      v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
      v3h = ((v3h << 21) | (old >>> 11)) ^ v0h;
      sum = (v2l + v1l) | 0;
      v2h = (v2h + v1h + (((v2l & v1l) | ((v2l | v1l) & ~sum)) >>> 31)) | 0;
      v2l = sum;
      old = v1l;
      v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l;
      v1h = ((v1h << 17) | (old >>> 15)) ^ v2h;
      old = v2l;
      v2l = v2h;
      v2h = old;
    }
    v0l ^= low;
    v0h ^= top;
  }
  high = (v0h ^ v1h ^ v2h ^ v3h) >>> 0;
  return (v0l ^ v1l ^ v2l ^ v3l) >>> 0;
}

/** The high 32 bits of the last hash. */
export const siphashHigh = (): number => high;

let high = 0;
