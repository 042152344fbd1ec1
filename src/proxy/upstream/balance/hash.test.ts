import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashText } from "./hash.ts";

/** MurmurHash3_x86_32 over bytes, seed 0, in whole numbers rather than in 32-bit tricks. */
function reference(bytes: Uint8Array): number {
  const mask = 0xffff_ffffn;
  const multiply = (a: bigint, b: bigint) => (a * b) & mask;
  const rotate = (a: bigint, by: bigint) => ((a << by) | (a >> (32n - by))) & mask;
  let hash = 0n;
  for (let at = 0; at < bytes.length; at += 4) {
    const block = bytes.subarray(at, at + 4);
    const value = block.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    hash ^= multiply(rotate(multiply(value, 0xcc9e_2d51n), 15n), 0x1b87_3593n);
    if (block.length === 4) hash = (multiply(rotate(hash, 13n), 5n) + 0xe654_6b64n) & mask;
  }
  hash ^= BigInt(bytes.length);
  hash = multiply(hash ^ (hash >> 16n), 0x85eb_ca6bn);
  hash = multiply(hash ^ (hash >> 13n), 0xc2b2_ae35n);
  return Number(hash ^ (hash >> 16n));
}

describe("hashText", () => {
  it("published vectors of MurmurHash3_x86_32 with seed 0: matched", () => {
    expect(hashText("")).toBe(0);
    expect(hashText("\0\0")).toBe(0x2362_f9de); // 00 00 00 00
    expect(hashText("\uffff\uffff")).toBe(0x7629_3b50); // ff ff ff ff
    expect(hashText("\u4321\u8765")).toBe(0xf55b_516b); // 21 43 65 87
    expect(hashText("\u4321")).toBe(0xa0f7_b07a); // 21 43
    expect(hashText("\u6574\u7473")).toBe(0xba6b_d213); // "test"
    const fox = "The quick brown fox jumps over the lazy dog";
    expect(reference(Buffer.from(fox))).toBe(0x2e4f_f723);
  });

  it("any text: what the bytes of its UTF-16 units hash to", () => {
    const units = fc.array(fc.nat(0xffff), { maxLength: 60 });
    const property = fc.property(units, (codes) => {
      const text = String.fromCharCode(...codes);
      expect(hashText(text)).toBe(reference(Buffer.from(text, "utf16le")));
    });
    fc.assert(property, { seed: 20260711, numRuns: 300 });
  });

  it("neighbouring texts: each of the 32 bits changes about half of the time", () => {
    const changes = new Array<number>(32).fill(0);
    for (let i = 0; i < 4_000; i++) {
      const difference = hashText(`10.0.0.1:80 ${i}`) ^ hashText(`10.0.0.1:80 ${i + 1}`);
      for (let bit = 0; bit < 32; bit++) changes[bit]! += (difference >>> bit) & 1;
    }
    for (const count of changes) expect(Math.abs(count - 2_000)).toBeLessThan(200);
  });
});
