import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf, latin1 } from "../../core/bytes.ts";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";
import { HpackFault } from "./fault.ts";
import { decodedBound, decodeHuffman, encodeHuffman, huffmanLength } from "./huffman.ts";
import { CODE_BITS, CODES } from "./huffman-code.ts";
import { decodeBlock, encodeBlock, fromHex, type Pair } from "./testing/blocks.ts";

// A failing run prints the seed and the path to the counterexample.
const RUNS = { seed: 7541, numRuns: 500 };

const octets = fc.uint8Array({ maxLength: 60 });
const name = fc.oneof(
  fc.constantFrom("date", "Content-Type", "x-a", "X-B", "etag", "cookie", "authorization", "via"),
  fc.string({ unit: fc.constantFrom(..."abcz0-_"), minLength: 1, maxLength: 40 }),
);
const value = fc.oneof(
  fc.constantFrom("", "text/html", "0", "no-cache", "a long value that repeats"),
  octets.map((bytes) => latin1(bytes, 0, bytes.length)),
);
const pairs: fc.Arbitrary<Pair[]> = fc.array(fc.tuple(name, value), { maxLength: 12 });

const decode = (hex: string, size = 4096): Pair[] | number =>
  decodeBlock(new HpackDecoder(size), fromHex(hex));

describe("huffman", () => {
  it("the code: complete, and as in appendix B where it is long", () => {
    expect(CODE_BITS.reduce((sum, bits) => sum + 2 ** (30 - bits), 0)).toBe(2 ** 30);
    expect([CODES[0x30], CODES[0x61], CODES[0], CODES[10], CODES[249], CODES[256]]).toEqual([
      0x0, 0x3, 0x1ff8, 0x3ffffffc, 0xffffffe, 0x3fffffff,
    ]);
  });

  it("any octets: decode to themselves, in as many octets as foretold", () => {
    fc.assert(
      fc.property(octets, (bytes) => {
        const coded = new Uint8Array(huffmanLength(bytes, 0, bytes.length) + 1);
        const end = encodeHuffman(bytes, 0, bytes.length, coded, 0);
        expect(end).toBe(coded.length - 1);
        const out = new Uint8Array(decodedBound(end));
        const stop = decodeHuffman(coded, 0, end, out, 0);
        expect([...out.subarray(0, stop)]).toEqual([...bytes]);
      }),
      RUNS,
    );
  });

  it("any input: decodes within the bound or fails, and what decodes is coded so", () => {
    fc.assert(
      fc.property(octets, (coded) => {
        const out = new Uint8Array(decodedBound(coded.length) + 8).fill(0xee);
        const stop = decodeHuffman(coded, 0, coded.length, out, 0);
        expect([...out.subarray(decodedBound(coded.length))]).toEqual(Array(8).fill(0xee));
        if (stop < 0) return;
        const again = new Uint8Array(coded.length + 1);
        expect(encodeHuffman(out, 0, stop, again, 0)).toBe(coded.length);
        expect([...again.subarray(0, coded.length)]).toEqual([...coded]);
      }),
      RUNS,
    );
  });

  it.each([
    ["EOS", "ffffffff"],
    ["eight bits of padding", "1fff"],
    ["padding of zeros", "18"],
    ["a code cut off", "fffe"],
  ])("%s: refused", (_what, hex) => {
    const coded = fromHex(hex);
    expect(decodeHuffman(coded, 0, coded.length, new Uint8Array(16), 0)).toBe(HpackFault.huffman);
  });
});

describe("decoder: hostile blocks", () => {
  it.each([
    ["index 0", "80", HpackFault.index],
    ["an index beyond the tables", "be", HpackFault.index],
    ["a name index beyond the tables", "7f00", HpackFault.index],
    ["an integer cut off", "ff80", HpackFault.truncated],
    ["an integer of six octets", "ff808080808001", HpackFault.integer],
    ["an integer above 2^28", "ffffffffff7f", HpackFault.integer],
    ["no string", "40", HpackFault.truncated],
    ["no value", "400161", HpackFault.truncated],
    ["a string cut off", "40016105", HpackFault.truncated],
    ["a string of 2^28 octets", "4001617f81ffff7f", HpackFault.truncated],
    ["a table size above ours", "3fe21f", HpackFault.tableSize],
    ["a third table size", "202020", HpackFault.tableSize],
    ["a table size behind a field", "8220", HpackFault.latePlaced],
  ])("%s: a fault", (_what, hex, fault) => {
    expect(decode(hex)).toBe(fault);
  });

  it("any octets: never throw, and keep the table within its size", () => {
    const decoder = new HpackDecoder(256);
    fc.assert(
      fc.property(octets, (bytes) => {
        decodeBlock(decoder, bytes);
        expect(decoder.table.size).toBeLessThanOrEqual(256);
        expect(decoder.table.count).toBeLessThanOrEqual(8);
      }),
      { ...RUNS, numRuns: 3000 },
    );
  });

  it("a bomb of indexed fields: counted without being copied", () => {
    const decoder = new HpackDecoder(4096);
    const value = "x".repeat(3000);
    const first = [...bytesOf(`\x40\x01a\x7f`), 3000 & 0x7f, 0, ...bytesOf(value)];
    first[4] = ((3000 - 127) & 0x7f) | 0x80;
    first[5] = (3000 - 127) >> 7;
    const block = Uint8Array.from([...first, ...Array<number>(1000).fill(0xbe)]);
    expect(decodeBlock(decoder, block)).toHaveLength(1001);
    expect(decoder.listSize).toBe(1001 * 3033);
  });

  it("names and values that HTTP/2 forbids: decoded, and marked", () => {
    const marks = (hex: string): boolean => {
      const decoder = new HpackDecoder(4096);
      decodeBlock(decoder, fromHex(hex));
      return decoder.valid;
    };
    expect(marks("4001610162")).toBe(true);
    expect(marks("4001410162")).toBe(false); // upper case
    expect(marks("40016101 0d")).toBe(false); // CR
    expect(marks("40016101 00")).toBe(false); // NUL
    expect(marks("40016102 2062")).toBe(false); // white space in front
    expect(marks("4002613a0162")).toBe(false); // colon within
    expect(marks("40000162")).toBe(false); // no name
    // The mark stays with the entry; another value makes the name good again.
    expect(marks("40016101 0a be")).toBe(false);
    expect(marks("40016101 0a 7e0162")).toBe(true);
  });

  it("a table made smaller by us: the next block has to say so", () => {
    const fields = "4001610162";
    const decoder = new HpackDecoder(4096);
    expect(decodeBlock(decoder, fromHex(fields))).toEqual([["a", "b"]]);
    decoder.allow(0);
    expect(decodeBlock(decoder, fromHex("be"))).toBe(HpackFault.tableSize);
    expect(decodeBlock(decoder, fromHex("2082"))).toEqual([[":method", "GET"]]);
    expect(decodeBlock(decoder, fromHex("be"))).toBe(HpackFault.index);
  });
});

describe("encoder", () => {
  it("any blocks, with table sizes that change: decode to the same fields, names in lower case", () => {
    const size = fc.option(fc.constantFrom(0, 64, 200, 4096, 10_000), { freq: 4 });
    const session = fc.array(fc.tuple(size, size, pairs), { maxLength: 12 });
    fc.assert(
      fc.property(session, (blocks) => {
        const encoder = new HpackEncoder();
        const decoder = new HpackDecoder(4096);
        for (const [before, after, block] of blocks) {
          for (const allowed of [before, after]) {
            if (allowed === null) continue;
            encoder.allow(allowed);
            decoder.allow(allowed);
          }
          const expected = block.map(([n, v]) => [n.toLowerCase(), v]);
          expect(decodeBlock(decoder, encodeBlock(encoder, block))).toEqual(expected);
          expect(encoder.table.size).toBe(decoder.table.size);
        }
      }),
      RUNS,
    );
  });

  it("a field that repeats: indexed the second time, one octet the third", () => {
    const encoder = new HpackEncoder();
    const field: Pair[] = [["X-Kind", "of a usual length"]];
    const sizes = [1, 2, 3].map(() => encodeBlock(encoder, field).length);
    expect(sizes[0]).toBe(sizes[1]);
    expect(sizes[2]).toBe(1);
  });

  it("secrets: never indexed, and marked so for the hops behind", () => {
    const secrets: Pair[] = [
      ["authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="],
      ["proxy-authorization", "x"],
      ["set-cookie", "a=b; HttpOnly; and some more of it"],
      ["cookie", "short=1"],
    ];
    for (const secret of secrets) {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder(4096);
      for (let i = 0; i < 3; i++) {
        expect(decodeBlock(decoder, encodeBlock(encoder, [secret]))).toEqual([secret]);
        expect(decoder.sensitive).toBe(true);
      }
      expect(encoder.table.count).toBe(0);
    }
  });
});
