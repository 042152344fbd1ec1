import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MessageDeflate } from "./deflate.ts";
import { writeClose, writeFrame } from "./frame-writer.ts";
import { Opcode } from "./opcode.ts";
import { WebSocketReceiver } from "./receiver.ts";
import { pieces, rawFrame } from "./testing/frames.ts";

const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Inflates to the payload twice over; "bad" cannot be inflated. */
const doubling: MessageDeflate = {
  deflate: (bytes) => bytes,
  inflate(bytes, limit) {
    if (Buffer.from(bytes).toString() === "bad") return "malformed";
    return bytes.length * 2 > limit ? "too-large" : Buffer.concat([bytes, bytes]);
  },
};

/** All events of `bytes`, each as text; an error with its code. */
function events(receiver: WebSocketReceiver, bytes: Uint8Array, cuts: readonly number[] = []) {
  const told: string[] = [];
  for (const piece of pieces(bytes, cuts)) {
    let pos = 0;
    for (;;) {
      const event = receiver.receive(piece, pos, piece.length);
      pos = receiver.pos;
      if (event === "need-data") break;
      const payload = Buffer.from(receiver.payload).toString("latin1");
      if (event === "message") told.push(`${receiver.kind} ${payload}`);
      else if (event === "close") told.push(`close ${receiver.code} ${payload.slice(2)}`);
      else if (event === "error") return [...told, `error ${receiver.fault!.code}`];
      else told.push(`${event} ${payload}`);
    }
    expect(pos).toBe(piece.length);
  }
  return told;
}

const fromServer = (limit = 1000): WebSocketReceiver =>
  new WebSocketReceiver("server", limit, null);
const fromClient = (limit = 1000): WebSocketReceiver =>
  new WebSocketReceiver("client", limit, null);

describe("websocket receiver", () => {
  test.each([
    ["a single unmasked text", fromServer, "81 05 48 65 6c 6c 6f", ["text Hello"]],
    ["a single masked text", fromClient, "81 85 37 fa 21 3d 7f 9f 4d 51 58", ["text Hello"]],
    ["a fragmented text", fromServer, "01 03 48 65 6c 80 02 6c 6f", ["text Hello"]],
    ["an unmasked ping", fromServer, "89 05 48 65 6c 6c 6f", ["ping Hello"]],
    ["a masked pong", fromClient, "8a 85 37 fa 21 3d 7f 9f 4d 51 58", ["pong Hello"]],
  ] as const)("RFC 6455 §5.7, %s: is read", (_name, receiver, bytes, wanted) => {
    expect(events(receiver(), hex(bytes))).toEqual(wanted);
  });

  test("RFC 6455 §5.7, 256 octets and 64 KiB of binary: are read", () => {
    for (const length of [256, 65_536]) {
      const head = length === 256 ? hex("82 7e 01 00") : hex("82 7f 00 00 00 00 00 01 00 00");
      const receiver = fromServer(65_536);
      const bytes = Buffer.concat([head, Buffer.alloc(length, 7)]);
      expect(receiver.receive(bytes, 0, bytes.length)).toBe("message");
      expect(receiver.payload.length).toBe(length);
    }
  });

  test("fragments with control frames between, cut anywhere: the same events", () => {
    const masked = (opcode: number, text: string, fin = true): Buffer =>
      rawFrame({ opcode, payload: Buffer.from(text), fin, key: KEY });
    const bytes = Buffer.concat([
      masked(2, ""),
      masked(1, "gr\u00fc", false),
      masked(9, "p"),
      masked(0, "\u00df", false),
      masked(10, ""),
      masked(0, " \u{1f600}"),
      masked(2, "x".repeat(300)),
      rawFrame({ opcode: 8, payload: Buffer.from("\u0003\u00e8bye", "latin1"), key: KEY }),
      Buffer.from("what follows is nothing"),
    ]);
    const text = Buffer.from("gr\u00fc\u00df \u{1f600}").toString("latin1");
    const wanted = [
      "binary ",
      "ping p",
      "pong ",
      `text ${text}`,
      `binary ${"x".repeat(300)}`,
      "close 1000 bye",
    ];
    const property = fc.property(fc.array(fc.nat(), { maxLength: 20 }), (cuts) => {
      expect(events(fromClient(), bytes, cuts)).toEqual(wanted);
    });
    fc.assert(property, { seed: 1, numRuns: 300 });
  });

  test("a character cut by fragments, cut by reads: is one", () => {
    const octets = Buffer.from("\u20ac");
    const bytes = Buffer.concat([
      rawFrame({ opcode: 1, payload: octets.subarray(0, 1), fin: false }),
      rawFrame({ opcode: 0, payload: octets.subarray(1) }),
    ]);
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(events(fromServer(), bytes, [cut])).toEqual([`text ${octets.toString("latin1")}`]);
    }
  });

  const text = (payload: Uint8Array) => rawFrame({ opcode: 1, payload });
  test.each<[string, Buffer, number]>([
    ["RSV1 without an extension", rawFrame({ opcode: 1, reserved: 4 }), 1002],
    ["RSV2", rawFrame({ opcode: 1, reserved: 2 }), 1002],
    ["RSV3 on a ping", rawFrame({ opcode: 9, reserved: 1 }), 1002],
    ["opcode 3", rawFrame({ opcode: 3 }), 1002],
    ["opcode 11", rawFrame({ opcode: 11 }), 1002],
    ["a ping of 126 octets", rawFrame({ opcode: 9, payload: Buffer.alloc(126) }), 1002],
    ["a ping with a long length", rawFrame({ opcode: 9, length: 5, lengthOctets: 8 }), 1002],
    ["a fragmented ping", rawFrame({ opcode: 9, fin: false }), 1002],
    ["a fragmented close", rawFrame({ opcode: 8, fin: false }), 1002],
    ["a close of one octet", rawFrame({ opcode: 8, payload: Buffer.from([3]) }), 1002],
    ["a close with 1005", rawFrame({ opcode: 8, payload: Buffer.from([3, 237]) }), 1002],
    ["a close with 999", rawFrame({ opcode: 8, payload: Buffer.from([3, 231]) }), 1002],
    ["a close with 2999", rawFrame({ opcode: 8, payload: Buffer.from([11, 183]) }), 1002],
    ["a close with bad UTF-8", rawFrame({ opcode: 8, payload: hex("03 e8 c3 28") }), 1007],
    ["a continuation of nothing", rawFrame({ opcode: 0 }), 1002],
    [
      "a message within a message",
      Buffer.concat([rawFrame({ opcode: 1, fin: false }), text(Buffer.alloc(0))]),
      1002,
    ],
    ["a masked frame of a server", rawFrame({ opcode: 1, key: KEY }), 1002],
    ["a length with its top bit", Buffer.from([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 1]), 1002],
    ["a length of 2^53", Buffer.from([0x82, 127, 0, 0x20, 0, 0, 0, 0, 0, 0]), 1002],
    ["a length in too many octets", rawFrame({ opcode: 2, length: 125, lengthOctets: 2 }), 1002],
    ["bad UTF-8", text(hex("ff")), 1007],
    ["UTF-8 that breaks off", text(hex("e2 82")), 1007],
    ["a surrogate", text(hex("ed a0 80")), 1007],
    ["a message beyond the limit", rawFrame({ opcode: 2, length: 1001 }), 1009],
    [
      "fragments beyond the limit",
      Buffer.concat([
        rawFrame({ opcode: 2, payload: Buffer.alloc(600), fin: false }),
        rawFrame({ opcode: 0, length: 401 }),
      ]),
      1009,
    ],
  ])("%s: ends it with the code, for good", (_name, bytes, code) => {
    const receiver = fromServer();
    expect(events(receiver, bytes)).toEqual([`error ${code}`]);
    expect(events(receiver, text(Buffer.from("more")))).toEqual([`error ${code}`]);
  });

  test("an unmasked frame of a client: ends it with 1002", () => {
    expect(events(fromClient(), text(Buffer.from("x")))).toEqual(["error 1002"]);
  });

  test("bad UTF-8 in a frame that is not complete: ends it at once", () => {
    const bytes = rawFrame({ opcode: 1, payload: Buffer.alloc(900, 0xff) }).subarray(0, 10);
    expect(events(fromServer(), bytes)).toEqual(["error 1007"]);
  });

  test("an announced length that never comes: takes no memory", () => {
    const receiver = fromServer(1 << 30);
    const bytes = rawFrame({ opcode: 2, length: 1 << 30, payload: Buffer.alloc(100) });
    const before = process.memoryUsage().arrayBuffers;
    expect(events(receiver, bytes)).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  });

  test("no input at all, of any octets: throws or loses its place", () => {
    const property = fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.nat(), { maxLength: 5 }),
      fc.boolean(),
      (bytes, cuts, client) => {
        const role = client ? "client" : "server";
        const whole = events(new WebSocketReceiver(role, 100, doubling), bytes);
        expect(events(new WebSocketReceiver(role, 100, doubling), bytes, cuts)).toEqual(whole);
      },
    );
    fc.assert(property, { seed: 2, numRuns: 2000 });
  });
});

describe("websocket receiver with permessage-deflate", () => {
  const compressed = (payload: string, opcode = 1, fin = true): Buffer =>
    rawFrame({ opcode, payload: Buffer.from(payload), fin, reserved: opcode === 0 ? 0 : 4 });
  const receiver = (limit = 1000) => new WebSocketReceiver("server", limit, doubling);

  test("compressed and plain messages, fragmented: are told inflated", () => {
    const bytes = Buffer.concat([
      compressed("ab"),
      rawFrame({ opcode: 1, payload: Buffer.from("plain") }),
      compressed("a", 2, false),
      rawFrame({ opcode: 9 }),
      compressed("b", 0),
    ]);
    const wanted = ["text abab", "text plain", "ping ", "binary abab"];
    expect(events(receiver(), bytes)).toEqual(wanted);
  });

  test.each<[string, Buffer, number]>([
    [
      "RSV1 on a continuation",
      Buffer.concat([compressed("a", 1, false), rawFrame({ opcode: 0, reserved: 4 })]),
      1002,
    ],
    ["RSV1 on a ping", rawFrame({ opcode: 9, reserved: 4 }), 1002],
    ["what cannot be inflated", compressed("bad"), 1007],
    [
      "text that inflates to bad UTF-8",
      rawFrame({ opcode: 1, payload: hex("ff"), reserved: 4 }),
      1007,
    ],
    ["a bomb", compressed("x".repeat(60)), 1009],
  ])("%s: ends it with the code", (_name, bytes, code) => {
    expect(events(receiver(100), bytes)).toEqual([`error ${code}`]);
  });
});

describe("frame writer", () => {
  const written = (
    write: (sink: { write(b: Uint8Array, s: number, e: number): boolean }) => void,
  ) => {
    const chunks: Buffer[] = [];
    write({
      write(buf, start, end) {
        chunks.push(Buffer.from(buf.slice(start, end)));
        return false;
      },
    });
    return Buffer.concat(chunks);
  };

  test("frames of all lengths, masked and not: are what they should be", () => {
    for (const length of [0, 1, 125, 126, 65_535, 65_536, 40_001]) {
      const payload = Buffer.alloc(length, "abc");
      const plain = written((sink) => writeFrame(sink, Opcode.binary, false, payload, -1));
      expect(plain.equals(rawFrame({ opcode: 2, payload }))).toBe(true);
      const masked = written((sink) => writeFrame(sink, Opcode.text, true, payload, 0xf7fa213d));
      const key = hex("f7 fa 21 3d");
      expect(masked.equals(rawFrame({ opcode: 1, payload, key, reserved: 4 }))).toBe(true);
    }
  });

  test("a close, with a reason that is too long: is cut to a control frame", () => {
    const bytes = written((sink) => writeClose(sink, 1001, "r".repeat(200), 0));
    expect(events(fromClient(), bytes)).toEqual([`close 1001 ${"r".repeat(123)}`]);
  });
});
