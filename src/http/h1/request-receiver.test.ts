import { describe, expect, it } from "vitest";
import { bytesOf } from "../../core/bytes.ts";
import { RequestHead } from "../request-head.ts";
import { RequestReceiver } from "./request-receiver.ts";
import { LIMITS, receiveRequests } from "./transcript.fixture.ts";

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

describe("request receiver: a message that is refused", () => {
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

  it("after an error it stays in it", () => {
    const receiver = new RequestReceiver(LIMITS);
    const head = new RequestHead();
    const bad = bytesOf("GET  / HTTP/1.1\r\n");
    const good = bytesOf(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    expect(receiver.receive(bad, 0, bad.length, head)).toBe("error");
    receiver.next();
    expect(receiver.receive(good, 0, good.length, head)).toBe("error");
    expect(receiver.error?.status).toBe(400);
  });
});

describe("request receiver: limits", () => {
  const line = (length: number): string => `GET /${"a".repeat(length - 14)} HTTP/1.1`;

  it("request line of exactly the limit: taken; one octet more: 414", () => {
    for (const sizes of [[], Array(600).fill(1), [200], [268]]) {
      expect(receiveRequests(`${line(256)}\r\n${HOST}\r\n`, sizes).error).toBeNull();
      expect(receiveRequests(`${line(257)}\r\n${HOST}\r\n`, sizes).error).toMatch(/^414 TARGET/);
    }
  });

  it("head of exactly the limit: taken; one octet more: 431", () => {
    const head = (length: number): string => {
      const front = `GET / HTTP/1.1\r\n${HOST}X: `;
      return `${front}${"a".repeat(length - front.length - 4)}\r\n\r\n`;
    };
    for (const sizes of [[], Array(1100).fill(1), [500], [1023]]) {
      expect(receiveRequests(head(1024), sizes).error).toBeNull();
      expect(receiveRequests(head(1025), sizes).error).toMatch(/^431 HEAD_TOO_LARGE/);
    }
  });

  it("field count of exactly the limit: taken", () => {
    const message = `GET / HTTP/1.1\r\n${HOST}${"X: a\r\n".repeat(19)}\r\n`;
    expect(receiveRequests(message).messages[0]?.fields.length).toBe(20);
  });

  it("chunks past the body limit: 413 when they pass it", () => {
    const front = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
    const chunk = `8000\r\n${"a".repeat(0x8000)}\r\n`;
    expect(receiveRequests(`${front}${chunk}${chunk}0\r\n\r\n`).error).toBeNull();
    const past = receiveRequests(`${front}${chunk}${chunk}1\r\n`);
    expect(past.error).toMatch(/^413 BODY_TOO_LARGE/);
    expect(past.messages[0]?.body.length).toBe(0x10000);
  });
});

describe("request receiver: a message that is taken", () => {
  const first = (text: string) => receiveRequests(text).messages[0]!;

  it("pipelined requests: answered to in order, each ended before the next", () => {
    const { messages, error } = receiveRequests(
      `GET /1 HTTP/1.1\r\n${HOST}\r\nPOST /2 HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc` +
        `POST /3 HTTP/1.1\r\n${HOST}Transfer-Encoding: Chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n` +
        `GET /4 HTTP/1.1\r\n${HOST}\r\n`,
    );
    expect(error).toBeNull();
    expect(messages.map((m) => [m.start, m.framing, m.body, m.ended])).toEqual([
      ["GET /1 1.1", "none", "", true],
      ["POST /2 1.1", "length 3", "abc", true],
      ["POST /3 1.1", "chunked", "de", true],
      ["GET /4 1.1", "none", "", true],
    ]);
  });

  it("after end, before next: paused, and nothing consumed", () => {
    const receiver = new RequestReceiver(LIMITS);
    const head = new RequestHead();
    const two = bytesOf(`GET /1 HTTP/1.1\r\n${HOST}\r\nGET /2 HTTP/1.1\r\n${HOST}\r\n`);
    expect(receiver.receive(two, 0, two.length, head)).toBe("head");
    const pos = receiver.pos;
    expect(receiver.receive(two, pos, two.length, head)).toBe("end");
    expect(receiver.receive(two, pos, two.length, head)).toBe("paused");
    expect(receiver.pos).toBe(pos);
    receiver.next();
    expect(receiver.receive(two, pos, two.length, head)).toBe("head");
    expect(head.target).toBe("/2");
  });

  it("part of a head: inHead, until its end", () => {
    const receiver = new RequestReceiver(LIMITS);
    const head = new RequestHead();
    const text = bytesOf(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    expect(receiver.inHead).toBe(false);
    expect(receiver.receive(text, 0, 5, head)).toBe("need-data");
    expect(receiver.inHead).toBe(true);
    expect(receiver.receive(text, 5, text.length, head)).toBe("head");
    expect(receiver.inHead).toBe(false);
  });

  it("a head: is a copy, the input may be overwritten", () => {
    const receiver = new RequestReceiver(LIMITS);
    const head = new RequestHead();
    const text = bytesOf(`GET /path HTTP/1.1\r\n${HOST}\r\n`);
    receiver.receive(text, 0, text.length, head);
    text.fill(0);
    expect([head.method, head.path, head.authority]).toEqual(["GET", "/path", "a.example"]);
  });

  it("up to four empty lines before a request: passed over", () => {
    expect(first(`\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`).start).toBe("GET / 1.1");
  });

  it("white space around a value, and none: left out", () => {
    const message = `GET / HTTP/1.1\r\nHost:a\r\nX: \t b c \t\r\nY:\r\nZ: \t \r\n\r\n`;
    expect(first(message).fields).toEqual([
      ["Host", "a"],
      ["X", "b c"],
      ["Y", ""],
      ["Z", ""],
    ]);
  });

  it("obs-text in a value: kept", () => {
    expect(first(`GET / HTTP/1.1\r\n${HOST}X: \xe9\xff\r\n\r\n`).fields[1]).toEqual([
      "X",
      "\xe9\xff",
    ]);
  });

  it("a later minor version: taken as 1.1", () => {
    expect(first(`GET / HTTP/1.2\r\n${HOST}\r\n`).start).toBe("GET / 1.1");
  });

  it("HTTP/1.0: no Host needed, kept alive only on demand", () => {
    expect(first("GET / HTTP/1.0\r\n\r\n")).toMatchObject({ keepAlive: false, ended: true });
    const kept = first("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    expect(kept.keepAlive).toBe(true);
    const both = first("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n");
    expect(both.keepAlive).toBe(false);
  });

  it("HTTP/1.1: kept alive unless close is an option, on any line", () => {
    expect(first(`GET / HTTP/1.1\r\n${HOST}\r\n`).keepAlive).toBe(true);
    const lines = "Connection: x\r\nConnection: y , Close\r\n";
    expect(first(`GET / HTTP/1.1\r\n${HOST}${lines}\r\n`).keepAlive).toBe(false);
    expect(first(`GET / HTTP/1.1\r\n${HOST}Connection: closed\r\n\r\n`).keepAlive).toBe(true);
  });

  it("Content-Length 0: a length, and the end at once", () => {
    expect(first(`POST / HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`)).toMatchObject({
      framing: "length 0",
      ended: true,
    });
  });

  it("Content-Length of 2^53 - 1, limit unbounded: taken", () => {
    const message = `POST / HTTP/1.1\r\n${HOST}Content-Length: 9007199254740991\r\n\r\na`;
    const limits = { ...LIMITS, body: Number.POSITIVE_INFINITY };
    expect(receiveRequests(message, [], limits).messages[0]?.framing).toBe(
      "length 9007199254740991",
    );
  });

  it("trailers: given after the end, the forbidden ones dropped", () => {
    const front = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
    const kept = first(`${front}1\r\na\r\n0\r\nX-Sum: 1\r\nContent-Length: 5\r\nhost: b\r\n\r\n`);
    expect(kept.trailers).toEqual([["X-Sum", "1"]]);
    expect(first(`${front}0\r\nTransfer-Encoding: chunked\r\n\r\n`).trailers).toBeNull();
    expect(first(`${front}0\r\n\r\n`).trailers).toBeNull();
  });
});

describe("request receiver: what the head says", () => {
  const headOf = (text: string): RequestHead => {
    const receiver = new RequestReceiver(LIMITS);
    const head = new RequestHead();
    const bytes = bytesOf(text);
    expect(receiver.receive(bytes, 0, bytes.length, head)).toBe("head");
    return head;
  };

  it("absolute-form: its authority holds, and replaces Host", () => {
    const head = headOf("GET http://B.example:8080/p?q HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(head.authority).toBe("B.example:8080");
    expect(head.hostName).toBe("b.example");
    expect(head.headers.getAll("host")).toEqual(["B.example:8080"]);
    expect([head.path, head.query]).toEqual(["/p", "q"]);
  });

  it("CONNECT: authority-form, without a path", () => {
    const head = headOf("CONNECT [::1]:443 HTTP/1.1\r\nHost: a\r\n\r\n");
    expect([head.form, head.authority, head.hostName, head.path]).toEqual([
      "authority",
      "[::1]:443",
      "[::1]",
      "",
    ]);
    expect(head.headers.get("host")).toBe("[::1]:443");
  });

  it("Expect: 100-continue counts in HTTP/1.1 alone", () => {
    const expectation = `${HOST}Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n`;
    expect(headOf(`POST / HTTP/1.1\r\n${expectation}`).expectContinue).toBe(true);
    expect(headOf(`POST / HTTP/1.0\r\n${expectation}`).expectContinue).toBe(false);
    expect(headOf(`POST / HTTP/1.1\r\n${HOST}Expect: else\r\n\r\n`).expectContinue).toBe(false);
  });

  it("upgrade: named in Connection, with Upgrade, in HTTP/1.1, and not to h2c", () => {
    const upgrade = (version: string, connection: string, to: string): boolean =>
      headOf(`GET / ${version}\r\n${HOST}Connection: ${connection}\r\n${to}\r\n`).upgrade;
    expect(upgrade("HTTP/1.1", "keep-alive, Upgrade", "Upgrade: websocket\r\n")).toBe(true);
    expect(upgrade("HTTP/1.0", "Upgrade", "Upgrade: websocket\r\n")).toBe(false);
    expect(upgrade("HTTP/1.1", "keep-alive", "Upgrade: websocket\r\n")).toBe(false);
    expect(upgrade("HTTP/1.1", "Upgrade", "")).toBe(false);
    expect(upgrade("HTTP/1.1", "Upgrade", "Upgrade: websocket, h2c\r\n")).toBe(false);
  });

  it("a head reused for a smaller one: nothing of the first is left", () => {
    const receiver = new RequestReceiver(LIMITS);
    const head = new RequestHead();
    const text = bytesOf(
      `POST http://b/long?q HTTP/1.1\r\n${HOST}X: a\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`,
    );
    receiver.receive(text, 0, text.length, head);
    head.method = "PUT";
    receiver.receive(text, receiver.pos, text.length, head);
    receiver.next();
    expect(receiver.receive(text, receiver.pos, text.length, head)).toBe("head");
    expect([head.method, head.target, head.authority, head.contentLength]).toEqual([
      "GET",
      "/",
      "a.example",
      -1,
    ]);
    expect([...head.headers]).toEqual([["Host", "a.example"]]);
  });
});
