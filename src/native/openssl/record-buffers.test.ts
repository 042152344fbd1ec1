import { describe, expect, test } from "vitest";
import { PinnedMemory } from "../memory.ts";
import { openssl } from "./functions.ts";
import { opensslAvailable } from "./openssl.ts";
import { RecordInput, RecordOutput } from "./record-buffers.ts";
import { addressOfRange } from "./source-bytes.ts";

describe.runIf(opensslAvailable() === null)("record buffers", () => {
  const memory = new PinnedMemory(64 * 1024);
  memory.bytes.fill("abcdefgh");
  const target = new PinnedMemory(64 * 1024);

  test("input, lent a range, is read in pieces without a copy, and then waits for more", () => {
    const input = new RecordInput();
    const read = (length: number): number => openssl().BIO_read(input.bio, target.address, length);
    expect(read(10)).toBe(-1);
    input.lend(memory.address + 3, 20);
    expect(read(8)).toBe(8);
    expect(target.bytes.toString("latin1", 0, 8)).toBe("defghabc");
    expect(input.remaining).toBe(12);
    expect(read(100)).toBe(12);
    expect([input.remaining, read(1)]).toEqual([0, -1]);
    input.lend(memory.address, 5);
    input.clear();
    expect(read(5)).toBe(-1);
  });

  test("output, written more than it holds, starts again where it may and never moves", () => {
    const output = new RecordOutput();
    const { bytes } = output;
    const write = (length: number): number =>
      openssl().BIO_write(output.bio, memory.address, length);
    for (let i = 0; i < 100; i++) {
      output.prepare();
      const from = output.length;
      expect(from).toBeLessThanOrEqual(128 * 1024);
      write(60_000);
      expect(output.length).toBe(from + 60_000);
      expect(output.bytes).toBe(bytes);
      expect(
        Buffer.compare(bytes.subarray(from, from + 60_000), memory.bytes.subarray(0, 60_000)),
      ).toBe(0);
    }
  });

  test("output, lent, keeps what it holds while more is written, up to a bound", () => {
    const output = new RecordOutput();
    const write = (length: number): number =>
      openssl().BIO_write(output.bio, memory.address, length);
    write(64);
    output.beginLoan();
    const deeper = (): void => {
      for (let i = 0; i < 20; i++) {
        output.prepare();
        write(60_000);
      }
    };
    expect(deeper).toThrow("nested too deep");
    expect(Buffer.from(output.bytes.subarray(0, 8)).toString()).toBe("abcdefgh");
    output.endLoan();
    output.prepare();
    expect(output.length).toBe(0);
  });

  test("addresses, asked for any range, belong to bytes that exist", () => {
    const bytes = Buffer.alloc(10_000, "x");
    const address = addressOfRange(bytes, 0, 10_000);
    expect(addressOfRange(bytes, 5, 6)).toBe(address + 5);
    const gone = structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(gone.byteLength).toBe(10_000);
    expect(() => addressOfRange(bytes, 0, 10_000)).toThrow(RangeError);
    expect(() => addressOfRange(Buffer.alloc(4), 0, 5)).toThrow(RangeError);
    expect(() => addressOfRange(Buffer.alloc(4), Number.NaN, 3)).toThrow(RangeError);
  });
});
