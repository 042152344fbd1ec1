import { describe, expect, it } from "vitest";
import { latin1 } from "../../core/bytes.ts";
import { HpackDecoder } from "./decoder.ts";
import { decodeBlock, fromHex, type Pair } from "./testing/blocks.ts";

/** The examples of RFC 7541 appendix C. */

const request = (path: string, scheme: string): Pair[] => [
  [":method", "GET"],
  [":scheme", scheme],
  [":path", path],
  [":authority", "www.example.com"],
];
const REQUESTS: readonly Pair[][] = [
  request("/", "http"),
  [...request("/", "http"), ["cache-control", "no-cache"]],
  [...request("/index.html", "https"), ["custom-key", "custom-value"]],
];
const response = (status: string, second: string): Pair[] => [
  [":status", status],
  ["cache-control", "private"],
  ["date", `Mon, 21 Oct 2013 20:13:${second} GMT`],
  ["location", "https://www.example.com"],
];
const RESPONSES: readonly Pair[][] = [
  response("302", "21"),
  response("307", "21"),
  [
    ...response("200", "22"),
    ["content-encoding", "gzip"],
    ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
  ],
];

const tableOf = ({ table }: HpackDecoder): Pair[] => {
  const pairs: Pair[] = [];
  for (let entry = table.inserted - 1; entry >= table.oldest; entry--) {
    const start = table.lineStart(entry);
    const nameEnd = start + table.nameLength(entry);
    const value = latin1(table.bytes, nameEnd + 2, nameEnd + 2 + table.valueLength(entry));
    pairs.push([latin1(table.bytes, start, nameEnd), value]);
  }
  return pairs;
};

describe("RFC 7541 appendix C", () => {
  it.each([
    ["400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key", "custom-header", 55],
    ["040c2f73616d706c652f70617468", ":path", "/sample/path", 0],
    ["100870617373776f726406736563726574", "password", "secret", 0],
    ["82", ":method", "GET", 0],
  ] as const)("C.2: %s", (hex, name, value, size) => {
    const decoder = new HpackDecoder(4096);
    expect(decodeBlock(decoder, fromHex(hex))).toEqual([[name, value]]);
    expect(decoder.table.size).toBe(size);
    expect(decoder.sensitive).toBe(hex.startsWith("10"));
  });

  it.each([
    [
      "C.3",
      [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
      ],
    ],
    [
      "C.4",
      [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
      ],
    ],
  ])("%s: requests", (_section, blocks) => {
    const decoder = new HpackDecoder(4096);
    expect(blocks.map((block) => decodeBlock(decoder, fromHex(block)))).toEqual(REQUESTS);
    expect(decoder.table.size).toBe(164);
    expect(tableOf(decoder)).toEqual([
      ["custom-key", "custom-value"],
      ["cache-control", "no-cache"],
      [":authority", "www.example.com"],
    ]);
  });

  it.each([
    [
      "C.5",
      [
        `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a
         3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        "4803 3330 37c1 c0bf",
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04
         677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49
         553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
      ],
    ],
    [
      "C.6",
      [
        `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e
         919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
        "4883 640e ffc1 c0bf",
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7
         821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed
         4ee5 b106 3d50 07`,
      ],
    ],
  ])("%s: responses, with evictions", (_section, blocks) => {
    const decoder = new HpackDecoder(256);
    const sizes: number[] = [];
    const heads = blocks.map((block) => {
      const head = decodeBlock(decoder, fromHex(block));
      sizes.push(decoder.table.size);
      return head;
    });
    const sorted = (pairs: unknown) => (Array.isArray(pairs) ? [...pairs].sort() : pairs);
    expect(heads.map(sorted)).toEqual(RESPONSES.map(sorted));
    expect(sizes).toEqual([222, 222, 215]);
    expect(tableOf(decoder).map(([name]) => name)).toEqual([
      "set-cookie",
      "content-encoding",
      "date",
    ]);
  });
});
