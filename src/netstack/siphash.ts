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
 */
export function siphash(key: SipKey, words: Int32Array, length: number): number {
  v0l = key[0] ^ 0x7073_6575;
  v0h = key[1] ^ 0x736f_6d65;
  v1l = key[2] ^ 0x6e64_6f6d;
  v1h = key[3] ^ 0x646f_7261;
  v2l = key[0] ^ 0x6e65_7261;
  v2h = key[1] ^ 0x6c79_6765;
  v3l = key[2] ^ 0x7974_6573;
  v3h = key[3] ^ 0x7465_6462;
  const pairs = length & ~1;
  for (let i = 0; i < pairs; i += 2) absorb(words[i]!, words[i + 1]!);
  const odd = length & 1;
  absorb(odd === 1 ? words[length - 1]! : 0, (length * 4) << 24);
  v2l ^= 0xff;
  for (let i = 0; i < 4; i++) round();
  high = (v0h ^ v1h ^ v2h ^ v3h) >>> 0;
  return (v0l ^ v1l ^ v2l ^ v3l) >>> 0;
}

/** The high 32 bits of the last hash. */
export const siphashHigh = (): number => high;

let v0l = 0;
let v0h = 0;
let v1l = 0;
let v1h = 0;
let v2l = 0;
let v2h = 0;
let v3l = 0;
let v3h = 0;
let high = 0;

function absorb(low: number, top: number): void {
  v3l ^= low;
  v3h ^= top;
  round();
  round();
  v0l ^= low;
  v0h ^= top;
}

/** SipRound on four 64-bit words in halves: add, rotate, xor. */
function round(): void {
  let l = (v0l >>> 0) + (v1l >>> 0);
  v0h = (v0h + v1h + (l > 0xffff_ffff ? 1 : 0)) | 0;
  v0l = l | 0;
  let t = v1l;
  v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
  v1h = ((v1h << 13) | (t >>> 19)) ^ v0h;
  t = v0l;
  v0l = v0h;
  v0h = t;
  l = (v2l >>> 0) + (v3l >>> 0);
  v2h = (v2h + v3h + (l > 0xffff_ffff ? 1 : 0)) | 0;
  v2l = l | 0;
  t = v3l;
  v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
  v3h = ((v3h << 16) | (t >>> 16)) ^ v2h;
  l = (v0l >>> 0) + (v3l >>> 0);
  v0h = (v0h + v3h + (l > 0xffff_ffff ? 1 : 0)) | 0;
  v0l = l | 0;
  t = v3l;
  v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
  v3h = ((v3h << 21) | (t >>> 11)) ^ v0h;
  l = (v2l >>> 0) + (v1l >>> 0);
  v2h = (v2h + v1h + (l > 0xffff_ffff ? 1 : 0)) | 0;
  v2l = l | 0;
  t = v1l;
  v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l;
  v1h = ((v1h << 17) | (t >>> 15)) ^ v2h;
  t = v2l;
  v2l = v2h;
  v2h = t;
}
