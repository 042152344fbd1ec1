import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameFlag, frameMessage } from "./message-frame.ts";
import { MessageReader } from "./message-reader.ts";

fc.configureGlobal({ seed: 20_261_122, numRuns: 300 });

class Taken {
  readonly messages: { flags: number; message: Uint8Array }[] = [];
  onMessage(flags: number, message: Uint8Array): void {
    this.messages.push({ flags, message });
  }
}

/** Feeds `bytes` cut at `cuts`; what is read is overwritten afterwards, as a driver's buffer is. */
function feed(reader: MessageReader, bytes: Uint8Array, cuts: readonly number[], taken: Taken) {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  );
  let result: string = "ok";
  for (let i = 1; i < edges.length; i++) {
    const piece = Uint8Array.from(bytes.subarray(edges[i - 1]!, edges[i]!));
    result = reader.read(piece, 0, piece.length, taken);
    piece.fill(0xee);
  }
  return result;
}

describe("length-prefixed messages", () => {
  test("any messages cut anywhere, come out as they went in", () => {
    const message = fc.record({
      flags: fc.constantFrom(0, 1, 0x80),
      message: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.nat()), (messages, cuts) => {
        const reader = new MessageReader(300);
        const taken = new Taken();
        const bytes = Buffer.concat(messages.map((m) => frameMessage(m.message, m.flags)));
        expect(feed(reader, bytes, cuts, taken)).toBe("ok");
        expect(reader.atBoundary).toBe(true);
        expect(taken.messages.map((m) => [m.flags, [...m.message]])).toEqual(
          messages.map((m) => [m.flags, [...m.message]]),
        );
      }),
    );
  });

  test("any bytes, never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat()), (bytes, cuts) => {
        feed(new MessageReader(64), bytes, cuts, new Taken());
      }),
    );
  });

  test("a message over the limit, is refused by its header, and nothing after it is delivered", () => {
    const reader = new MessageReader(10);
    const taken = new Taken();
    const bytes = Buffer.concat([
      frameMessage(new Uint8Array(10)),
      frameMessage(new Uint8Array(11)),
    ]);
    expect(reader.read(bytes, 0, 20, taken)).toBe("too-large");
    expect(reader.read(frameMessage(new Uint8Array(1)), 0, 6, taken)).toBe("too-large");
    expect(taken.messages).toHaveLength(1);
    expect(reader.atBoundary).toBe(false);
  });

  test("4 GiB announced and few bytes sent, holds few bytes", () => {
    const reader = new MessageReader(2 ** 32);
    reader.read(Uint8Array.of(0, 255, 255, 255, 255, 1, 2, 3), 0, 8, new Taken());
    expect(reader.atBoundary).toBe(false);
  });

  test("an end within a message, is no boundary", () => {
    const reader = new MessageReader(10);
    reader.read(frameMessage(new Uint8Array(3)), 0, 7, new Taken());
    expect(reader.atBoundary).toBe(false);
  });

  test("the example of the protocol, a length of 260, is big-endian", () => {
    expect([...frameMessage(new Uint8Array(260), FrameFlag.compressed).subarray(0, 5)]).toEqual([
      1, 0, 0, 1, 4,
    ]);
  });
});
