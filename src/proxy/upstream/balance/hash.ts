/**
 * MurmurHash3_x86_32 with seed 0 (Austin Appleby, SMHasher, public domain) over the text's UTF-16 units
 * in little-endian order: 32 bits, unsigned. It mixes well enough that "a#1" and "a#2" are far apart,
 * and every worker and machine gets the same. It is no defence against chosen keys, nor need it be:
 * who may choose the key of a consistent hash may as well repeat one.
 */
export function hashText(text: string): number {
  const length = text.length;
  const paired = length & ~1;
  let h = 0;
  for (let i = 0; i < paired; i += 2) {
    h ^= scramble(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe654_6b64) | 0;
  }
  if (paired < length) h ^= scramble(text.charCodeAt(paired));
  return finish(h ^ (length * 2));
}

function scramble(block: number): number {
  const k = Math.imul(block, 0xcc9e_2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b87_3593);
}

function finish(hash: number): number {
  let h = hash;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85eb_ca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2_ae35);
  h ^= h >>> 16;
  return h >>> 0;
}
