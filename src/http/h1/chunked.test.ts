import { describe, expect, it } from "vitest";
import { receiveRequests } from "../testing/transcript.ts";

const FRONT = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

const REFUSED: readonly (readonly [name: string, status: number, body: string])[] = [
  ["empty size", 400, "\r\nab\r\n0\r\n\r\n"],
  ["size with a plus", 400, "+2\r\nab\r\n0\r\n\r\n"],
  ["size with a minus", 400, "-2\r\nab\r\n0\r\n\r\n"],
  ["size with 0x", 400, "0x2\r\nab\r\n0\r\n\r\n"],
  ["size that is no number", 400, "g\r\nab\r\n0\r\n\r\n"],
  ["size with an underscore", 400, "1_0\r\nab\r\n0\r\n\r\n"],
  ["size of 2^53", 400, "20000000000000\r\n"],
  ["size past 2^64", 400, "10000000000000002\r\nab\r\n"],
  ["size of too many digits", 400, "00000000000000002\r\nab\r\n0\r\n\r\n"],
  ["space before the size", 400, " 2\r\nab\r\n0\r\n\r\n"],
  ["space after the size", 400, "2 \r\nab\r\n0\r\n\r\n"],
  ["tab after the size", 400, "2\t\r\nab\r\n0\r\n\r\n"],
  ["space between size and extension", 400, "2 ;a\r\nab\r\n0\r\n\r\n"],
  ["bare LF after the size", 400, "2\nab\r\n0\r\n\r\n"],
  ["bare CR after the size", 400, "2\rab\r\n0\r\n\r\n"],
  ["NUL after the size", 400, "2\0\r\nab\r\n0\r\n\r\n"],
  ["empty extension", 400, "2;\r\nab\r\n0\r\n\r\n"],
  ["extension without a value after =", 400, "2;a=\r\nab\r\n0\r\n\r\n"],
  ["extension with an open quote", 400, '2;a="b\r\nab\r\n0\r\n\r\n'],
  ["extension with text after a quote", 400, '2;a="b"c\r\nab\r\n0\r\n\r\n'],
  ["extension with trailing space", 400, "2;a=b \r\nab\r\n0\r\n\r\n"],
  ["extension with two words", 400, "2;a b\r\nab\r\n0\r\n\r\n"],
  ["extension with a bare LF", 400, "2;a\nab\r\n0\r\n\r\n"],
  ["extension with a control in quotes", 400, '2;a="\x01"\r\nab\r\n0\r\n\r\n'],
  ["extension past its bound", 400, `2;${"a".repeat(300)}\r\nab\r\n0\r\n\r\n`],
  ["extensions past the bound of a body", 400, `1;${"a".repeat(200)}\r\nx\r\n`.repeat(50)],
  ["chunk longer than its size", 400, "2\r\nabc\r\n0\r\n\r\n"],
  ["chunk shorter than its size", 400, "2\r\na\r\n0\r\n\r\n"],
  ["chunk without a line end", 400, "2\r\nab0\r\n\r\n"],
  ["bare LF after a chunk", 400, "2\r\nab\n0\r\n\r\n"],
  ["bare CR after a chunk", 400, "2\r\nab\r0\r\n\r\n"],
  ["last chunk with a bare LF as its end", 400, "0\r\n\n"],
  ["last chunk with a bare CR as its end", 400, "0\r\n\rGET"],
  ["trailer that is folded", 400, "0\r\nX: a\r\n b\r\n\r\n"],
  ["trailer without a colon", 400, "0\r\nX\r\n\r\n"],
  ["trailer with a space before the colon", 400, "0\r\nX : a\r\n\r\n"],
  ["trailer with a bare LF", 400, "0\r\nX: a\n\r\n"],
  ["trailer with NUL", 400, "0\r\nX: \0\r\n\r\n"],
  ["another request as a trailer", 400, "0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["too many trailers", 431, `0\r\n${"X: a\r\n".repeat(21)}\r\n`],
  ["trailers past the limit", 431, `0\r\nX: ${"a".repeat(2000)}\r\n\r\n`],
  ["endless trailer", 431, `0\r\n${"a".repeat(2000)}`],
];

describe("chunked body: refused", () => {
  for (const [name, status, body] of REFUSED) {
    it(`${name}: ${status}, and never an end`, () => {
      for (const sizes of [[], Array(FRONT.length + body.length).fill(1)]) {
        const { messages, error } = receiveRequests(FRONT + body, sizes);
        expect(error?.slice(0, 3), String(error)).toBe(String(status));
        expect(messages[0]?.ended).toBe(false);
      }
    });
  }
});

describe("chunked body: taken", () => {
  const bodies: readonly (readonly [name: string, body: string, content: string])[] = [
    ["no content", "0\r\n\r\n", ""],
    ["several chunks", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc"],
    [
      "upper- and lower-case digits",
      `A\r\n${"a".repeat(10)}\r\nf\r\n${"b".repeat(15)}\r\n0\r\n\r\n`,
      "aaaaaaaaaabbbbbbbbbbbbbbb",
    ],
    ["leading zeros", "0002\r\nab\r\n000\r\n\r\n", "ab"],
    ["extensions", '2;a;b=c;d="e\\"; \xe9"\r\nab\r\n0;last\r\n\r\n', "ab"],
    ["extensions with spaces of the grammar", '2; a = b ;c\t=\t"d"\r\nab\r\n0\r\n\r\n', "ab"],
    [
      "bounds that hold for each chunk: digits and extension",
      `${`00000001;${"e".repeat(200)}\r\na\r\n`.repeat(5)}0\r\n\r\n`,
      "aaaaa",
    ],
    ["content that looks like chunks", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"],
  ];
  for (const [name, body, content] of bodies) {
    it(`${name}: the content alone`, () => {
      for (const sizes of [[], Array(FRONT.length + body.length).fill(1)]) {
        const { messages, error } = receiveRequests(FRONT + body, sizes);
        expect(error).toBeNull();
        expect(messages).toMatchObject([{ body: content, ended: true }]);
      }
    });
  }
});
