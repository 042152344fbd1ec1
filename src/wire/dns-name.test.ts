import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DNS_ROOT,
  type DnsName,
  dnsName,
  labelsOf,
  readName,
  sameName,
  skipName,
} from "./dns-name.ts";
import { DnsWriter } from "./dns-writer.ts";
import { hex } from "./testing/fields.ts";

const seed = 1035;
const text = (string: string) => Buffer.from(string).toString("hex");

describe("a domain name", () => {
  test.each([
    ["example.com", "example.com"],
    ["Example.COM.", "Example.COM"],
    [".", "."],
    ["a\\.b.c", "a\\.b.c"],
    ["\\097\\\\\\032.x", "a\\\\\\032.x"],
    ["a b", "a\\032b"],
  ])("%s, written by a person, is %s", (written, name) => {
    expect(dnsName(written)).toBe(name);
  });

  test.each([
    ["", "empty"],
    ["..", "an empty label"],
    ["a..b", "an empty label"],
    [".a", "an empty label"],
    ["a\\", "an open escape"],
    ["a\\25", "half an escape"],
    ["\\256", "no octet"],
    ["ä", "no ASCII"],
    [`${"a".repeat(64)}.b`, "too long a label"],
    [`${"a.".repeat(128)}`, "too long a name"],
  ])("%s (%s) is none", (written) => {
    expect(dnsName(written)).toBeNull();
  });

  test("127 labels of one letter, the longest, are taken", () => {
    expect(labelsOf(dnsName("a.".repeat(127))!)).toHaveLength(127);
  });

  test("letters, in another case, make the same name", () => {
    expect(sameName(dnsName("EXAMPLE.com")!, dnsName("example.COM.")!)).toBe(true);
    expect(sameName(dnsName("example.com")!, dnsName("example.net")!)).toBe(false);
  });

  test("any octets, as labels, survive text, writing and reading", () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(label, { maxLength: 8 }), fc.nat(9), (labels, base) => {
        const wire = [...labels.flatMap((octets) => [octets.length, ...octets]), 0];
        const dv = new DataView(Uint8Array.from([...new Array(base).fill(9), ...wire]).buffer);
        const name = readName(dv, base, base, dv.byteLength)!;
        expect(skipName(dv, base, dv.byteLength)).toBe(dv.byteLength);
        expect(dnsName(name)).toBe(name);
        expect(labelsOf(name)).toHaveLength(labels.length);
        const out = new DataView(new ArrayBuffer(wire.length));
        const writer = new DnsWriter(out, 0);
        writer.plainName(name);
        expect(writer.at).toBe(wire.length);
        expect([...new Uint8Array(out.buffer)]).toEqual(wire);
        for (let cut = 0; cut < wire.length; cut++) {
          expect(readName(dv, base, base, base + cut)).toBeNull();
          expect(skipName(dv, base, base + cut)).toBe(-1);
        }
      }),
      { seed, numRuns: 300 },
    );
  });

  test("the message of RFC 1035 §4.1.4, read, gives its four names", () => {
    const dv = hex(
      `${"00".repeat(20)} 01${text("F")} 03${text("ISI")} 04${text("ARPA")} 00
       ${"00".repeat(8)} 03${text("FOO")} c014 ${"00".repeat(18)} c01a ${"00".repeat(26)} 00`,
    );
    const names = [20, 40, 64, 92].map((at) => readName(dv, 0, at, dv.byteLength));
    expect(names).toEqual(["F.ISI.ARPA", "FOO.F.ISI.ARPA", "ARPA", DNS_ROOT]);
    expect(skipName(dv, 40, dv.byteLength)).toBe(46);
    expect(readName(dv, -1, 40, dv.byteLength)).toBeNull();
  });

  test.each<[string, string, number]>([
    ["to itself", "c000", 0],
    ["to the label before it, which runs into it", "0161 c000", 0],
    ["forward", "c003 00 0161 00", 0],
    ["past the end", "ffff", 0],
    ["back and forth", "c002 c000", 2],
    ["cut in half", "0161 c0", 0],
    ["of a reserved kind", "4061 00", 0],
    ["of another reserved kind", "8061 00", 0],
  ])("a pointer %s is no name", (_, bytes, at) => {
    const dv = hex(bytes);
    expect(readName(dv, 0, at, dv.byteLength)).toBeNull();
  });

  test("more pointers than a name has labels are not followed", () => {
    const chain = new DataView(new ArrayBuffer(602));
    for (let at = 1; at < 600; at += 2) chain.setUint16(at, 0xc000 | Math.max(0, at - 2));
    chain.setUint16(1, 0xc000);
    expect(readName(chain, 0, 253, 602)).toBe(DNS_ROOT);
    expect(readName(chain, 0, 255, 602)).toBeNull();
  });

  test("pointers that add up to more than 255 octets make no name", () => {
    const long = `3f${text("x".repeat(63))}`;
    const dv = hex(`${long.repeat(3)} 3d${text("y".repeat(61))} 00 0161 c000`);
    expect(readName(dv, 0, 0, dv.byteLength)).toHaveLength(3 * 64 + 61);
    expect(readName(dv, 0, 255, dv.byteLength)).toBeNull();
  });

  test("names that share an end, written, point at it, in the letters that were meant", () => {
    const dv = new DataView(new ArrayBuffer(64));
    const writer = new DnsWriter(dv, 4);
    writer.at = 10;
    writer.compressedName("www.example.com" as DnsName);
    writer.compressedName("example.com" as DnsName);
    expect(writer.at).toBe(10 + 17 + 2);
    expect(dv.getUint16(27)).toBe(0xc000 | 10);
    writer.compressedName("WWW.Example.com" as DnsName);
    expect(readName(dv, 4, 29, writer.at)).toBe("WWW.Example.com");
    expect(dv.getUint16(writer.at - 2)).toBe(0xc000 | 18);
  });
});
