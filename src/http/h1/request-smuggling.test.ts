import { describe, expect, it } from "vitest";
import { receiveRequests } from "../testing/transcript.ts";

const HOST = "Host: a.example\r\n";

/** Each is refused whole, in single octets, and behind a good request on the same connection. */
const REFUSED: readonly (readonly [name: string, status: number, message: string])[] = [
  ["folded field line", 400, `GET / HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`],
  ["folded first line", 400, `GET / HTTP/1.1\r\n ${HOST}\r\n`],
  ["tab at the start of a line", 400, `GET / HTTP/1.1\r\n${HOST}\tX: a\r\n\r\n`],
  ["bare CR in a value", 400, `GET / HTTP/1.1\r\n${HOST}X: a\rb\r\n\r\n`],
  ["bare CR in a name", 400, `GET / HTTP/1.1\r\n${HOST}X\rY: b\r\n\r\n`],
  ["bare CR before the empty line", 400, `GET / HTTP/1.1\r\n${HOST}\rX: a\r\n\r\n`],
  ["CR CR LF as a line end", 400, `GET / HTTP/1.1\r\n${HOST}X: a\r\r\n\r\n`],
  ["bare LF as a line end", 400, `GET / HTTP/1.1\r\n${HOST}X: a\nY: b\r\n\r\n`],
  ["bare LF after the request line", 400, `GET / HTTP/1.1\n${HOST}\r\n`],
  ["bare LF as the empty line", 400, `GET / HTTP/1.1\r\n${HOST}\n`],
  ["LF LF as the end of a head", 400, "GET / HTTP/1.1\nHost: a\n\n"],
  ["NUL in a value", 400, `GET / HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`],
  ["control in a value", 400, `GET / HTTP/1.1\r\n${HOST}X: a\x01b\r\n\r\n`],
  ["DEL in a value", 400, `GET / HTTP/1.1\r\n${HOST}X: a\x7fb\r\n\r\n`],
  ["vertical tab around a value", 400, `GET / HTTP/1.1\r\n${HOST}Content-Length:\x0b0\r\n\r\n`],
  ["NUL in a name", 400, `GET / HTTP/1.1\r\n${HOST}X\0: a\r\n\r\n`],
  ["space before the colon", 400, `POST / HTTP/1.1\r\n${HOST}Content-Length : 0\r\n\r\n`],
  ["tab before the colon", 400, `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding\t: chunked\r\n\r\n`],
  ["space within a name", 400, `GET / HTTP/1.1\r\n${HOST}X Y: a\r\n\r\n`],
  ["empty name", 400, `GET / HTTP/1.1\r\n${HOST}: a\r\n\r\n`],
  ["field line without a colon", 400, `GET / HTTP/1.1\r\n${HOST}nonsense\r\n\r\n`],
  ["obs-text in a name", 400, `GET / HTTP/1.1\r\n${HOST}X\xe9: a\r\n\r\n`],
  ["quotes in a name", 400, `GET / HTTP/1.1\r\n${HOST}"X": a\r\n\r\n`],

  ["missing Host", 400, "GET / HTTP/1.1\r\nX: a\r\n\r\n"],
  ["two Hosts", 400, `GET / HTTP/1.1\r\n${HOST}Host: b.example\r\n\r\n`],
  ["two equal Hosts", 400, `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`],
  ["two Hosts in HTTP/1.0", 400, `GET / HTTP/1.0\r\n${HOST}${HOST}\r\n`],
  ["empty Host", 400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"],
  ["Host with a space", 400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"],
  ["Host with a list", 400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"],
  ["Host with user information", 400, "GET / HTTP/1.1\r\nHost: me@a\r\n\r\n"],
  ["Host with a path", 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"],
  ["Host with a port that is none", 400, "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"],
  ["Host with a port past 65535", 400, "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"],
  ["Host with an open bracket", 400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"],
  ["Host with obs-text", 400, "GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n"],

  ["Content-Length with a plus", 400, `POST / HTTP/1.1\r\n${HOST}Content-Length: +1\r\n\r\na`],
  ["Content-Length with a minus", 400, `POST / HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\na`],
  ["Content-Length with a list", 400, `POST / HTTP/1.1\r\n${HOST}Content-Length: 1, 2\r\n\r\na`],
  ["Content-Length with equals", 400, `POST / HTTP/1.1\r\n${HOST}Content-Length: 1, 1\r\n\r\na`],
  [
    "two Content-Lengths that differ",
    400,
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\na`,
  ],
  [
    "two Content-Lengths that are equal",
    400,
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\ncontent-length: 1\r\n\r\na`,
  ],
  ["empty Content-Length", 400, `POST / HTTP/1.1\r\n${HOST}Content-Length:\r\n\r\n`],
  ["Content-Length in hex", 400, `POST / HTTP/1.1\r\n${HOST}Content-Length: 0x1\r\n\r\na`],
  ["Content-Length with a unit", 400, `POST / HTTP/1.1\r\n${HOST}Content-Length: 1b\r\n\r\na`],
  ["Content-Length with a space", 400, `POST / HTTP/1.1\r\n${HOST}Content-Length: 1 0\r\n\r\na`],
  [
    "Content-Length of 2^53",
    400,
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 9007199254740992\r\n\r\n`,
  ],
  [
    "Content-Length past 2^64",
    400,
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 18446744073709551617\r\n\r\n`,
  ],
  [
    "Content-Length with Transfer-Encoding",
    400,
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    "Transfer-Encoding with Content-Length",
    400,
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  ],
  ["coding that is not chunked", 400, `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip\r\n\r\n`],
  ["coding identity", 400, `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: identity\r\n\r\n`],
  ["empty coding", 400, `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding:\r\n\r\n`],
  ["coding xchunked", 400, `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n`],
  ["coding in quotes", 400, `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: "chunked"\r\n\r\n`],
  ["chunked not last", 400, `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, gzip\r\n\r\n`],
  [
    "chunked, then identity on its own line",
    400,
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n`,
  ],
  ["chunked twice", 400, `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, chunked\r\n\r\n`],
  [
    "chunked twice on two lines",
    400,
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
  ],
  [
    "chunked with a parameter",
    400,
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked;a=b\r\n\r\n`,
  ],
  [
    "empty member among codings",
    400,
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: ,chunked\r\n\r\n`,
  ],
  ["unknown coding", 501, `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n`],
  ["coding in HTTP/1.0", 400, `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`],
  ["CONNECT with a length", 400, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 0\r\n\r\n"],

  ["two spaces after the method", 400, `GET  / HTTP/1.1\r\n${HOST}\r\n`],
  ["two spaces before the version", 400, `GET /  HTTP/1.1\r\n${HOST}\r\n`],
  ["space after the version", 400, `GET / HTTP/1.1 \r\n${HOST}\r\n`],
  ["space before the method", 400, ` GET / HTTP/1.1\r\n${HOST}\r\n`],
  ["tab after the method", 400, `GET\t/ HTTP/1.1\r\n${HOST}\r\n`],
  ["tab before the version", 400, `GET /\tHTTP/1.1\r\n${HOST}\r\n`],
  ["space within the target", 400, `GET /a b HTTP/1.1\r\n${HOST}\r\n`],
  ["HTTP/0.9", 400, "GET /\r\n"],
  ["missing target", 400, `GET HTTP/1.1\r\n${HOST}\r\n`],
  ["method that is no token", 400, `G(T / HTTP/1.1\r\n${HOST}\r\n`],
  ["target with obs-text", 400, `GET /\xe9 HTTP/1.1\r\n${HOST}\r\n`],
  ["target with NUL", 400, `GET /\0 HTTP/1.1\r\n${HOST}\r\n`],
  ["target with DEL", 400, `GET /\x7f HTTP/1.1\r\n${HOST}\r\n`],
  ["target with a fragment", 400, `GET /#a HTTP/1.1\r\n${HOST}\r\n`],
  ["target without a slash", 400, `GET a HTTP/1.1\r\n${HOST}\r\n`],
  ["lower-case http", 400, `GET / http/1.1\r\n${HOST}\r\n`],
  ["version of one digit", 400, `GET / HTTP/1\r\n${HOST}\r\n`],
  ["version of three digits", 400, `GET / HTTP/1.10\r\n${HOST}\r\n`],
  ["HTTP/2.0", 505, `GET / HTTP/2.0\r\n${HOST}\r\n`],
  ["HTTP/0.9 written out", 505, `GET / HTTP/0.9\r\n${HOST}\r\n`],
  ["the preface of HTTP/2", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["a TLS hello", 400, "\x16\x03\x01\x02\x00\x01\x00\n\x01\xfc"],
  ["asterisk with GET", 400, `GET * HTTP/1.1\r\n${HOST}\r\n`],
  ["asterisk with a path", 400, `OPTIONS */ HTTP/1.1\r\n${HOST}\r\n`],
  ["authority-form with GET", 400, `GET a.example:80 HTTP/1.1\r\n${HOST}\r\n`],
  ["CONNECT with a path", 400, `CONNECT / HTTP/1.1\r\n${HOST}\r\n`],
  ["CONNECT without a port", 400, `CONNECT a HTTP/1.1\r\n${HOST}\r\n`],
  ["CONNECT with an empty port", 400, `CONNECT a: HTTP/1.1\r\n${HOST}\r\n`],
  ["absolute-form with another scheme", 400, `GET ftp://a/ HTTP/1.1\r\n${HOST}\r\n`],
  ["absolute-form without authority", 400, `GET http:///a HTTP/1.1\r\n${HOST}\r\n`],
  ["absolute-form with user information", 400, `GET http://me@a/ HTTP/1.1\r\n${HOST}\r\n`],
  ["absolute-form with a bad port", 400, `GET http://a:x/ HTTP/1.1\r\n${HOST}\r\n`],
  ["absolute-form without Host", 400, "GET http://a/ HTTP/1.1\r\n\r\n"],
  ["five empty lines before the request", 400, `\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`],
  ["bare CR before the request", 400, `\rGET / HTTP/1.1\r\n${HOST}\r\n`],
  ["bare LF before the request", 400, `\nGET / HTTP/1.1\r\n${HOST}\r\n`],

  ["request line past the limit", 414, `GET /${"a".repeat(300)} HTTP/1.1\r\n${HOST}\r\n`],
  ["endless request line", 414, `GET /${"a".repeat(2000)}`],
  ["endless method", 414, "A".repeat(2000)],
  ["head past the limit", 431, `GET / HTTP/1.1\r\n${HOST}X: ${"a".repeat(1024)}\r\n\r\n`],
  ["endless field name", 431, `GET / HTTP/1.1\r\n${HOST}${"a".repeat(2000)}`],
  ["too many fields", 431, `GET / HTTP/1.1\r\n${HOST}${"X: a\r\n".repeat(20)}\r\n`],
  [
    "too many connection options",
    400,
    `GET / HTTP/1.1\r\n${HOST}Connection: ${"a,".repeat(64)}\r\n\r\n`,
  ],
  ["length past the limit", 413, `POST / HTTP/1.1\r\n${HOST}Content-Length: 65537\r\n\r\n`],
];

describe("a request that is refused", () => {
  const good = `GET /good HTTP/1.1\r\n${HOST}\r\n`;
  for (const [name, status, message] of REFUSED) {
    it(`${name}: ${status}, and nothing after it is read`, () => {
      const whole = receiveRequests(message);
      expect(whole.error?.slice(0, 3), String(whole.error)).toBe(String(status));
      expect(whole.messages).toEqual([]);
      const dripped = receiveRequests(message, Array(message.length).fill(1));
      expect(dripped.error?.slice(0, 3)).toBe(String(status));
      expect(dripped.messages).toEqual([]);
      const behind = receiveRequests(good + message);
      expect(behind.messages.map((m) => m.start)).toEqual(["GET /good 1.1"]);
      expect(behind.error?.slice(0, 3)).toBe(String(status));
    });
  }
});
