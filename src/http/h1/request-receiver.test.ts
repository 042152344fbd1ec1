import { describe, expect, it } from "vitest";
import { bytesOf } from "../../core/bytes.ts";
import { RequestHead } from "../request-head.ts";
import { LIMITS, receiveRequests } from "../testing/transcript.ts";
import { RequestReceiver } from "./request-receiver.ts";

const HOST = "Host: a.example\r\n";

describe("request receiver: after an error", () => {
  it("next and a good request: it stays in the error", () => {
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

  it("trailers of one request: gone with the next", () => {
    const receiver = new RequestReceiver(LIMITS);
    const head = new RequestHead();
    const text = bytesOf(
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n\r\n` +
        `GET / HTTP/1.1\r\n${HOST}\r\n`,
    );
    receiver.receive(text, 0, text.length, head);
    expect(receiver.receive(text, receiver.pos, text.length, head)).toBe("end");
    expect(receiver.trailers?.get("x")).toBe("a");
    receiver.next();
    expect(receiver.trailers).toBeNull();
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
