import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf } from "../../core/bytes.ts";
import { RequestReceiver } from "../h1/request-receiver.ts";
import { ResponseReceiver } from "../h1/response-receiver.ts";
import { HpackDecoder } from "../hpack/decoder.ts";
import { HpackEncoder } from "../hpack/encoder.ts";
import { encodeBlock, type Pair } from "../hpack/testing/blocks.ts";
import { RequestHead } from "../request-head.ts";
import { ResponseHead } from "../response-head.ts";
import { TextSink } from "../testing/transcript.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { requestReader } from "./request-reader.ts";
import { readResponse } from "./response-reader.ts";
import { H2Stream } from "./stream.ts";

/**
 * Whatever head is taken over HTTP/2 means the same to an HTTP/1.1 hop behind: one message, the same
 * method, target and fields, no more framing than was announced.
 */

// A failing run prints the seed and the path to the counterexample.
const RUNS = { seed: 44_487, numRuns: 3000 };
const H1 = { requestLine: 8192, head: 65_536, fields: 256, body: Number.POSITIVE_INFINITY };

const spiced = (plain: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...plain) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.constantFrom(...plain),
          fc.constantFrom(
            "\r\n",
            "\n",
            "\r",
            "\0",
            " ",
            "\t",
            ":",
            "#",
            "\x7f",
            "\xff",
            "\r\nA: b",
          ),
          fc.nat(12),
        )
        .map(([text, bad, at]) => text.slice(0, at) + bad + text.slice(at)),
    },
  );

const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const names = ["a", "x-b", "content-length", "transfer-encoding", "host", "cookie", "te", "expect"];
const values = ["", "b", "0", "5", "chunked", "a.example", "c=d", "trailers", "100-continue"];
const field = fc.tuple(
  spiced([...names, "connection", "upgrade", "via"]),
  spiced([...values, "upgrade", "websocket", "h2c"]),
);
const pseudo = fc.tuple(
  spiced(["GET", "POST", "HEAD", "OPTIONS", "CONNECT"]),
  spiced(["/", "/a?b", "*", "//c/d", "http://x/"]),
  spiced(["a.example", "[::1]:80", "b:443", "u@c"]),
  rarely(fc.constantFrom("websocket", "h2c", "a b")),
  rarely(fc.nat(4)),
);
const requests = fc.tuple(pseudo, fc.array(field, { maxLength: 5 }), fc.boolean());

const oneMessage = (text: string): RequestHead => {
  const receiver = new RequestReceiver(H1);
  const head = new RequestHead();
  const bytes = bytesOf(text);
  const event = receiver.receive(bytes, 0, bytes.length, head);
  if (event !== "head") throw new Error(`${event}: ${receiver.error?.message} in ${text}`);
  expect(receiver.pos).toBe(bytes.length);
  return head;
};

describe("heads that cross from HTTP/2 to HTTP/1.1", () => {
  it("requests, any that are taken: read the same", () => {
    let taken = 0;
    fc.assert(
      fc.property(requests, ([[method, path, authority, protocol, left], more, ended]) => {
        const all: Pair[] = [
          [":method", method],
          [":path", path],
          [":scheme", "https"],
          [":authority", authority],
        ];
        if (protocol !== null) all.push([":protocol", protocol]);
        const fields = [...all.filter((_, i) => i !== left), ...more];
        const block = encodeBlock(new HpackEncoder(), fields);
        const head = new RequestHead();
        const decoder = new HpackDecoder(4096);
        const limits = DEFAULT_LIMITS;
        const fault = requestReader.read(decoder, block, 0, block.length, head, ended, limits);
        if (fault !== null) return;
        taken++;
        const sink = new TextSink();
        head.writeTo(sink);
        const again = oneMessage(sink.text);
        expect([again.method, again.target, again.authority]).toEqual([
          head.method,
          head.target,
          head.authority,
        ]);
        expect([...again.fields]).toEqual([...head.fields]);
        expect(again.upgrade).toBe(head.upgrade);
        expect(again.contentLength).toBe(head.contentLength);
        // What has no length is for whoever writes it to announce.
        if (head.framing !== "chunked") expect(again.framing).toBe(head.framing);
      }),
      RUNS,
    );
    expect(taken).toBeGreaterThan(RUNS.numRuns / 20);
  });

  it("responses, any that are taken: read the same", () => {
    let taken = 0;
    const status = spiced(["200", "204", "304", "404", "100", "103", "101", "599", "99", "2000"]);
    const responses = fc.tuple(status, fc.array(field, { maxLength: 5 }), fc.boolean());
    fc.assert(
      fc.property(responses, ([code, more, ended]) => {
        const block = encodeBlock(new HpackEncoder(), [[":status", code], ...more]);
        const head = new ResponseHead();
        const stream = new H2Stream(1, 0, 0);
        const decoder = new HpackDecoder(4096);
        const limits = DEFAULT_LIMITS;
        const fault = readResponse(decoder, block, 0, block.length, head, stream, ended, limits);
        if (fault !== null) return;
        taken++;
        const sink = new TextSink();
        head.writeTo(sink);
        const receiver = new ResponseReceiver(H1);
        receiver.begin("GET");
        const again = new ResponseHead();
        const bytes = bytesOf(sink.text);
        expect(receiver.receive(bytes, 0, bytes.length, again)).toBe("head");
        expect(receiver.pos).toBe(bytes.length);
        expect([again.status, again.reason]).toEqual([head.status, head.reason]);
        expect([...again.fields]).toEqual([...head.fields]);
        expect(again.contentLength).toBe(head.contentLength);
        if (head.framing !== "chunked") expect(again.framing).toBe(head.framing);
      }),
      RUNS,
    );
    expect(taken).toBeGreaterThan(RUNS.numRuns / 20);
  });
});
