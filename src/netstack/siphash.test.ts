import { expect, test } from "vitest";
import { type SipKey, siphash, siphashHigh } from "./siphash.ts";

// The reference implementation's key and messages: bytes 00, 01, 02, … under key 00 … 0f.
const key: SipKey = [0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c];
const counting = (words: number): Int32Array =>
  new Int32Array(Uint8Array.from({ length: 4 * words }, (_, i) => i).buffer);

test.each([
  [0, 0x726fdb47, 0xdd0e0e31],
  [1, 0xcf2794e0, 0x277187b7],
  [2, 0x93f5f579, 0x9a932462],
  [3, 0x751e8fbc, 0x860ee5fb],
  [9, 0x314dffbe, 0x0815a3b4],
  [12, 0xe612a3cb, 0x9ecba951],
])("words, %i of them, hash as the reference's", (length, high, low) => {
  expect(siphash(key, counting(length), length)).toBe(low);
  expect(siphashHigh()).toBe(high);
});
