import { describe, expect, it } from "vitest";
import { nativeAvailable } from "./libc.ts";
import { PinnedMemory, putPointer } from "./memory.ts";

describe.runIf(nativeAvailable() === null)("pinned memory", () => {
  it("made: zeroed, a multiple of 8 long, its words share its bytes", () => {
    const memory = new PinnedMemory(13);
    expect(memory.length).toBe(16);
    expect(memory.bytes).toEqual(Buffer.alloc(16));
    memory.words[1] = 0x01020304;
    expect([...memory.bytes.subarray(4, 8)]).toEqual([4, 3, 2, 1]);
  });

  it("posted to another thread with a transfer: refused, so native code keeps its memory", () => {
    const memory = new PinnedMemory(8);
    expect(() =>
      structuredClone(memory.bytes, { transfer: [memory.bytes.buffer as ArrayBuffer] }),
    ).toThrow();
    expect(memory.bytes.length).toBe(8);
  });

  it.each([0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x7fff_1234_5678n, (1n << 52n) + 3n])(
    "pointer %s written: reads back as 64 bits",
    (value) => {
      const memory = new PinnedMemory(8);
      putPointer(memory.words, 0, Number(value));
      expect(memory.bytes.readBigUInt64LE(0)).toBe(value);
    },
  );
});
