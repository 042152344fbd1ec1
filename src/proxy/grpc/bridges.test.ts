import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NetError } from "../../core/errors.ts";
import { FrameFlag, frameMessage } from "../../grpc/message-frame.ts";
import { MessageReader } from "../../grpc/message-reader.ts";
import { libraryDescriptors } from "../../grpc/testing/library-descriptors.ts";
import { parseTrailers } from "../../grpc/web/trailers-frame.ts";
import { Fields } from "../../http/fields.ts";
import { RequestHead, ResponseHead } from "../../http/head.ts";
import type { Session } from "../session-api.ts";
import type { Bridge, Bridging } from "./bridge.ts";
import { createTranscoding } from "./transcoding.ts";
import { createGrpcWeb } from "./web-bridge.ts";

fc.configureGlobal({ seed: 20_261_127, numRuns: 200 });

const web = createGrpcWeb();
const transcoding = createTranscoding({ descriptors: libraryDescriptors(), maxMessage: 5_000 });

/** The bridge that a request opens. */
function opened(
  bridging: Bridging,
  method: string,
  target: string,
  fields: Readonly<Record<string, string>>,
): Bridge {
  const request = new RequestHead();
  request.target = target;
  request.method = method;
  for (const [name, value] of Object.entries(fields)) request.fields.append(name, value);
  // Bridges look at the request alone, unless they answer it.
  const bridge = bridging.open({ request } as Session);
  if (bridge === null || bridge === "responded") throw new Error("no bridge");
  return bridge;
}

const webBridge = (type: string): Bridge =>
  opened(web, "POST", "/library.Library/GetShelf", { "content-type": type });
const jsonBridge = (target: string): Bridge => opened(transcoding, "GET", target, {});

function grpcHead(): ResponseHead {
  const head = new ResponseHead();
  head.fields.append("content-type", "application/grpc");
  head.framing = "chunked";
  return head;
}

function trailersOf(status: number): Fields {
  const trailers = new Fields();
  trailers.append("grpc-status", String(status));
  return trailers;
}

/** Feeds `bytes` in pieces of these lengths, each overwritten behind it; what comes out, copied. */
function feed(
  take: (buf: Uint8Array, start: number, end: number) => Uint8Array | null,
  bytes: Uint8Array,
  lengths: readonly number[],
): Buffer {
  const out: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = Math.min(bytes.length, at + (lengths[i] ?? bytes.length));
    const piece = Uint8Array.from(bytes.subarray(at, end));
    const made = take(piece, 0, piece.length);
    if (made !== null) out.push(Buffer.from(made));
    piece.fill(0xee);
    at = end;
  }
  return Buffer.concat(out);
}

const cuts = fc.array(fc.integer({ min: 1, max: 9 }));
const body = fc.uint8Array({ maxLength: 60 });

describe("gRPC-Web", () => {
  test.each(["application/grpc-web+proto", "application/grpc-web-text"])(
    "%s, any body cut anywhere, comes through both ways with its trailers behind it",
    (type) => {
      const text = type.includes("text");
      fc.assert(
        fc.property(body, cuts, cuts, (bytes, there, back) => {
          const bridge = webBridge(type);
          const sent = text ? Buffer.from(Buffer.from(bytes).toString("base64")) : bytes;
          const up = feed((...piece) => bridge.requestData(...piece), sent, there);
          expect(bridge.requestEnd()).toBeNull();
          expect(up.equals(bytes)).toBe(true);
          expect(bridge.responseHead(grpcHead())).toBe(false);
          const message = frameMessage(bytes);
          const down = feed((...piece) => bridge.responseData(...piece), message, back);
          const whole = Buffer.concat([down, bridge.responseEnd(trailersOf(7)) ?? Buffer.alloc(0)]);
          const frames = text ? Buffer.from(whole.toString("latin1"), "base64") : whole;
          const seen: [number, Uint8Array][] = [];
          new MessageReader(1000).read(frames, 0, frames.length, {
            onMessage: (flags, one) => seen.push([flags, one]),
          });
          expect(seen.map(([flags]) => flags)).toEqual([0, FrameFlag.trailers]);
          expect(Buffer.from(seen[0]![1]).equals(bytes)).toBe(true);
          const fields = new Fields();
          expect(parseTrailers(seen[1]![1], fields)).toBe(true);
          expect(fields.get("grpc-status")).toBe("7");
        }),
      );
    },
  );

  test("any text, is base64 or the client's fault", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."AB=+/! ") }), cuts, (text, lengths) => {
        const bridge = webBridge("application/grpc-web-text");
        try {
          feed((...piece) => bridge.requestData(...piece), Buffer.from(text), lengths);
          bridge.requestEnd();
        } catch (error) {
          expect(error).toMatchObject({ code: "MALFORMED_MESSAGE", source: "downstream" });
        }
      }),
    );
  });
});

describe("JSON", () => {
  const shelf = (name: string): Uint8Array => {
    const bytes = new TextEncoder().encode(name);
    return frameMessage(Uint8Array.of(0x0a, bytes.length, ...bytes));
  };

  test("any messages cut anywhere, are elements of an array", () => {
    const names = fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 5 });
    fc.assert(
      fc.property(names, cuts, fc.boolean(), (all, lengths, fails) => {
        const bridge = jsonBridge("/v1/search/x");
        const head = grpcHead();
        expect(bridge.responseHead(head)).toBe(true);
        const bytes = Buffer.concat(all.map(shelf));
        const out = feed((...piece) => bridge.responseData(...piece), bytes, lengths);
        const last = bridge.responseEnd(trailersOf(fails ? 10 : 0)) ?? Buffer.alloc(0);
        const json: unknown = JSON.parse(Buffer.concat([out, last]).toString());
        const elements = all.map((name) => ({ name }));
        const error = { code: 10, message: "", details: [] };
        if (!fails) expect(json).toEqual(elements);
        else if (all.length > 0) expect(json).toEqual([...elements, { error }]);
        else expect([head.status, json]).toEqual([409, error]);
      }),
    );
  });

  test("any bytes from the upstream, are JSON or the upstream's fault", () => {
    fc.assert(
      fc.property(body, cuts, fc.boolean(), fc.boolean(), (bytes, lengths, framed, streams) => {
        const bridge = jsonBridge(streams ? "/v1/search/x" : "/v1/shelves/1");
        bridge.responseHead(grpcHead());
        try {
          const sent = framed ? frameMessage(bytes) : bytes;
          const out = feed((...piece) => bridge.responseData(...piece), sent, lengths);
          const last = bridge.responseEnd(trailersOf(0)) ?? Buffer.alloc(0);
          JSON.parse(Buffer.concat([out, last]).toString());
        } catch (error) {
          expect(error).toBeInstanceOf(NetError);
          expect(error).toMatchObject({ source: "upstream" });
        }
      }),
    );
  });

  test.each([
    ["a compressed message", Buffer.concat([frameMessage(new Uint8Array(1), 1)])],
    ["two messages for one", Buffer.concat([shelf("a"), shelf("b")])],
  ])("%s, is the upstream's fault", (_what, bytes) => {
    const bridge = jsonBridge("/v1/shelves/1");
    bridge.responseHead(grpcHead());
    expect(() => bridge.responseData(bytes, 0, bytes.length)).toThrow(NetError);
  });

  test.each([
    ["no message", new Uint8Array()],
    ["half a message", shelf("abc").subarray(0, 7)],
  ])("%s and a good status, is the upstream's fault", (_what, bytes) => {
    const bridge = jsonBridge("/v1/shelves/1");
    bridge.responseHead(grpcHead());
    bridge.responseData(bytes, 0, bytes.length);
    expect(() => bridge.responseEnd(trailersOf(0))).toThrow(NetError);
  });

  test("JSON that nests deep, is the client's fault", () => {
    const bridge = opened(transcoding, "POST", "/v1/shelves", {});
    const deep = Buffer.from("[".repeat(2_000) + "]".repeat(2_000));
    bridge.requestData(deep, 0, deep.length);
    expect(() => bridge.requestEnd()).toThrow(/transcoding/);
  });
});
