import { describe, expect, it } from "vitest";
import { bytesOf } from "../../core/bytes.ts";
import { NetError } from "../../core/errors.ts";
import type { ByteSink } from "../../core/transport.ts";
import { Fields } from "../fields.ts";
import type { Framing } from "../framing.ts";
import { TextSink } from "../testing/transcript.ts";
import { BodyWriter } from "./body-writer.ts";

const write = (
  framing: Framing,
  length: number,
  pieces: readonly string[],
  trailers: Fields | null = null,
) => {
  const writer = new BodyWriter();
  const sink = new TextSink();
  writer.begin(framing, length);
  for (const piece of pieces) writer.data(sink, bytesOf(`<${piece}>`), 1, piece.length + 1);
  expect(writer.complete).toBe(false);
  writer.end(sink, trailers);
  expect(writer.complete).toBe(true);
  return sink;
};

describe("body writer", () => {
  it("chunked: each piece a chunk, an empty piece none, then the last chunk", () => {
    expect(write("chunked", -1, ["a", "", "b".repeat(16)]).text).toBe(
      `1\r\na\r\n10\r\n${"b".repeat(16)}\r\n0\r\n\r\n`,
    );
    expect(write("chunked", -1, []).text).toBe("0\r\n\r\n");
  });

  it("chunked: a small piece is one write, a large one is not copied together", () => {
    expect(write("chunked", -1, ["a".repeat(4096)])).toMatchObject({ writes: 2 });
    const large = write("chunked", -1, ["a".repeat(70_000)]);
    expect(large.text).toBe(`11170\r\n${"a".repeat(70_000)}\r\n0\r\n\r\n`);
  });

  it("chunked with trailers: the live ones", () => {
    const trailers = new Fields();
    trailers.append("A", "b");
    trailers.append("C", "d");
    trailers.remove(0);
    expect(write("chunked", -1, ["x"], trailers).text).toBe("1\r\nx\r\n0\r\nC: d\r\n\r\n");
    expect(write("length", 1, ["x"], trailers).text).toBe("x");
  });

  it("length, close, tunnel, none: the octets alone", () => {
    expect(write("length", 3, ["ab", "", "c"]).text).toBe("abc");
    expect(write("length", 0, []).text).toBe("");
    expect(write("close", -1, ["ab", "c"]).text).toBe("abc");
    expect(write("tunnel", -1, ["ab"]).text).toBe("ab");
    expect(write("none", -1, [""]).text).toBe("");
  });

  it("a body that breaks its framing: NetError INTERNAL, the piece is not written", () => {
    const sink = new TextSink();
    const writer = new BodyWriter();
    writer.begin("length", 2);
    writer.data(sink, bytesOf("a"), 0, 1);
    expect(() => writer.data(sink, bytesOf("bc"), 0, 2)).toThrow(NetError);
    expect(() => writer.end(sink, null)).toThrow(expect.objectContaining({ code: "INTERNAL" }));
    expect([sink.text, writer.complete]).toEqual(["a", false]);
    writer.begin("none", -1);
    expect(() => writer.data(sink, bytesOf("a"), 0, 1)).toThrow(NetError);
  });

  it("end twice: ends once", () => {
    const sink = new TextSink();
    const writer = new BodyWriter();
    writer.begin("chunked", -1);
    writer.end(sink, null);
    writer.end(sink, null);
    expect(sink.text).toBe("0\r\n\r\n");
  });

  it("a sink above its high-water mark: told by data", () => {
    const full: ByteSink = { write: () => true };
    const writer = new BodyWriter();
    for (const [framing, size] of [
      ["chunked", 1],
      ["chunked", 5000],
      ["close", 1],
    ] as const) {
      writer.begin(framing, -1);
      expect(writer.data(full, bytesOf("a".repeat(size)), 0, size)).toBe(true);
    }
  });
});
