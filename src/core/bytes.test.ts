import fc from "fast-check";
import { expect, it } from "vitest";
import { allocBytes, bytesOf, copyBytes, latin1, writeLatin1 } from "./bytes.ts";

const seed = 20260307;
const latin1Text = fc.uint8Array({ maxLength: 200 }).map((bytes) => String.fromCharCode(...bytes));

it("text as bytes and back is the same text", () => {
  fc.assert(
    fc.property(latin1Text, fc.nat(20), (text, before) => {
      expect(latin1(bytesOf(text), 0, text.length)).toBe(text);
      const buf = allocBytes(before + text.length + 3).fill(0x2e);
      expect(writeLatin1(buf, before, text)).toBe(before + text.length);
      expect(latin1(buf, 0, buf.length)).toBe(`${".".repeat(before)}${text}...`);
    }),
    { seed },
  );
});

it("copyBytes copies the range and nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(50), (src, at) => {
      const start = Math.floor(src.length / 3);
      const dst = new Uint8Array(at + src.length + 2).fill(0xee);
      copyBytes(src, start, src.length, dst, at);
      const copied = src.length - start;
      expect(dst.subarray(at, at + copied)).toEqual(src.subarray(start));
      expect(dst.subarray(0, at).every((byte) => byte === 0xee)).toBe(true);
      expect(dst.subarray(at + copied).every((byte) => byte === 0xee)).toBe(true);
    }),
    { seed },
  );
});

it("copyBytes within one buffer, ranges overlapping: as if by way of another", () => {
  const buf = Uint8Array.of(1, 2, 3, 4, 5, 6);
  copyBytes(buf, 0, 4, buf, 2);
  expect([...buf]).toEqual([1, 2, 1, 2, 3, 4]);
});

it("allocBytes shares its memory with nobody", () => {
  const bytes = allocBytes(10);
  expect(bytes.length).toBe(10);
  expect(bytes.buffer.byteLength).toBe(10);
});

it("plain Uint8Arrays, which are not Buffers, work everywhere", () => {
  const plain = Uint8Array.of(0x68, 0xe9, 0x21);
  expect(latin1(plain, 0, 3)).toBe("hé!");
  expect(writeLatin1(plain, 1, "z")).toBe(2);
  expect([...plain]).toEqual([0x68, 0x7a, 0x21]);
});
