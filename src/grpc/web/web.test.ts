import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Fields } from "../../http/fields.ts";
import { Base64Reader } from "./base64-reader.ts";
import { Base64Writer, base64 } from "./base64-writer.ts";
import { Cors, corsDefaults } from "./cors.ts";
import { parseTrailers, trailersFrame } from "./trailers-frame.ts";

fc.configureGlobal({ seed: 20_261_124, numRuns: 300 });

const bytesOfText = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("base64", () => {
  test("any pieces, written as a stream, are one text that Node reads", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (pieces) => {
        const writer = new Base64Writer();
        const text = Buffer.concat([
          ...pieces.map((p) => writer.write(p, 0, p.length)),
          writer.end(),
        ]);
        expect(text.toString("latin1")).toBe(Buffer.concat(pieces).toString("base64"));
      }),
    );
  });

  test("texts one after another, cut anywhere, decode to the bytes of all", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), fc.nat(9), (pieces, cut) => {
        const text = Buffer.concat(pieces.map(base64));
        const reader = new Base64Reader();
        const out: Uint8Array[] = [];
        for (let at = 0; at < text.length; at += cut + 1) {
          const piece = reader.read(text, at, Math.min(text.length, at + cut + 1));
          expect(piece).not.toBeNull();
          out.push(Uint8Array.from(piece!));
        }
        expect(reader.end()).toBe(true);
        expect(Buffer.concat(out).equals(Buffer.concat(pieces))).toBe(true);
      }),
    );
  });

  test.each(["A===", "=AAA", "AA=A", "A-AA", "AAAA\n"])("%j, is no base64", (text) => {
    const bytes = bytesOfText(text);
    const reader = new Base64Reader();
    expect(reader.read(bytes, 0, bytes.length)).toBeNull();
    expect(reader.end()).toBe(false);
  });

  test("a text that ends within a group, is not at its end", () => {
    const reader = new Base64Reader();
    expect(reader.read(bytesOfText("AAAAAA"), 0, 6)).toHaveLength(3);
    expect(reader.end()).toBe(false);
  });
});

describe("the trailers frame", () => {
  test("trailers, are lines in lower case behind a flag of 0x80", () => {
    const frame = trailersFrame([
      ["Grpc-Status", "0"],
      ["x-a", "b c"],
    ]);
    expect([...frame.subarray(0, 5)]).toEqual([0x80, 0, 0, 0, 24]);
    expect(Buffer.from(frame.subarray(5)).toString()).toBe("grpc-status:0\r\nx-a:b c\r\n");
    const fields = new Fields();
    expect(parseTrailers(frame.subarray(5), fields)).toBe(true);
    expect([...fields]).toEqual([
      ["grpc-status", "0"],
      ["x-a", "b c"],
    ]);
  });

  test("lines that are no fields, are refused", () => {
    expect(parseTrailers(bytesOfText("no colon\r\n"), new Fields())).toBe(false);
    expect(parseTrailers(bytesOfText("a b: c\r\n"), new Fields())).toBe(false);
  });
});

describe("CORS", () => {
  test("any origin, is let in without credentials, and may read gRPC's fields", () => {
    const cors = new Cors({ ...corsDefaults, credentials: true, exposeHeaders: ["x-id"] });
    const fields = cors.responseFields("https://a.example");
    expect(fields).toEqual({
      "Access-Control-Allow-Origin": "*",
      "Access-Control-Expose-Headers": "grpc-status, grpc-message, grpc-status-details-bin, x-id",
    });
    expect(cors.responseFields(undefined)).toEqual({});
  });

  test("named origins, are echoed with Vary; others get nothing to read", () => {
    const cors = new Cors({
      ...corsDefaults,
      origins: ["https://app.example", "https://*.wild.example"],
      credentials: true,
    });
    expect(cors.responseFields("https://app.example")).toMatchObject({
      "Access-Control-Allow-Origin": "https://app.example",
      "Access-Control-Allow-Credentials": "true",
      Vary: "Origin",
    });
    expect(cors.allows("https://a.b.wild.example")).toBe(true);
    for (const origin of [
      "https://wild.example",
      "https://evil.example/.wild.example",
      "http://app.example",
      "https://appxexample",
      "https://app.example.evil.example",
      "null",
    ]) {
      expect(cors.allows(origin)).toBe(false);
      expect(cors.responseFields(origin)).toEqual({ Vary: "Origin" });
      expect(cors.preflightFields(origin, undefined)).toBeNull();
    }
  });

  test("a preflight, is told what it asked for, or just what is listed", () => {
    expect(new Cors(corsDefaults).preflightFields("https://a", "x-one,x-two")).toMatchObject({
      "Access-Control-Allow-Headers": "x-one,x-two",
      "Access-Control-Allow-Methods": "POST",
      "Access-Control-Max-Age": "7200",
    });
    const strict = new Cors({ ...corsDefaults, allowHeaders: ["x-one"] });
    expect(strict.preflightFields("https://a", "x-two")).toMatchObject({
      "Access-Control-Allow-Headers": "content-type, x-grpc-web, x-user-agent, grpc-timeout, x-one",
    });
  });
});
