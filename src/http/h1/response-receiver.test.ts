import { describe, expect, it } from "vitest";
import { bytesOf } from "../../core/bytes.ts";
import { ResponseHead } from "../response-head.ts";
import { LIMITS, receiveResponses } from "../testing/transcript.ts";
import { ResponseReceiver } from "./response-receiver.ts";

const REFUSED: readonly (readonly [name: string, response: string])[] = [
  ["no HTTP", "SSH-2.0-OpenSSH_9.2\r\n"],
  ["HTTP/2", "HTTP/2.0 200 OK\r\n\r\n"],
  ["HTTP/0.9 content", "<html></html>"],
  ["ICY", "ICY 200 OK\r\n\r\n"],
  ["status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
  ["status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
  ["status below 100", "HTTP/1.1 099 OK\r\n\r\n"],
  ["status that is none", "HTTP/1.1 OK\r\n\r\n"],
  ["two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n"],
  ["control in the reason", "HTTP/1.1 200 O\x00K\r\n\r\n"],
  ["bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n"],
  ["bare LF after the status line", "HTTP/1.1 200 OK\n\r\n"],
  ["bare LF after the status", "HTTP/1.1 200\n\r\n"],
  ["empty line before the status line", "\r\nHTTP/1.1 200 OK\r\n\r\n"],
  ["bare LF after a field", "HTTP/1.1 200 OK\r\nX: a\n\r\n"],
  ["folded field line", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"],
  ["space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"],
  ["two Content-Lengths", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n"],
  ["bad Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 0,0\r\n\r\n"],
  ["bad Content-Length in a 304", "HTTP/1.1 304 OK\r\nContent-Length: x\r\n\r\n"],
  [
    "Content-Length with Transfer-Encoding",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  ["coding that is not chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"],
  ["coding before chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"],
  ["coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["head past the limit", `HTTP/1.1 200 OK\r\nX: ${"a".repeat(1100)}\r\n\r\n`],
  ["endless reason", `HTTP/1.1 200 ${"a".repeat(2000)}`],
  ["too many fields", `HTTP/1.1 200 OK\r\n${"X: a\r\n".repeat(21)}\r\n`],
];

describe("response receiver: a message that is refused", () => {
  for (const [name, response] of REFUSED) {
    it(`${name}: 502, whole and in single octets`, () => {
      for (const sizes of [[], Array(response.length).fill(1)]) {
        const { error, messages } = receiveResponses(response, sizes);
        expect(error).toMatch(/^502 /);
        expect(messages).toEqual([]);
      }
    });
  }
});

describe("response receiver: how a body ends", () => {
  const only = (text: string, method = "GET", eof = false) =>
    receiveResponses(text, [], [method], LIMITS, eof);

  it("by Content-Length: what follows is not of this response", () => {
    const { messages, consumed } = only(
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 500",
    );
    expect(messages).toMatchObject([{ framing: "length 2", body: "ab", ended: true }]);
    expect(consumed).toBe("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab".length);
  });

  it("by the last chunk, with trailers", () => {
    const { messages } = only(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: y\r\n\r\n",
    );
    expect(messages).toMatchObject([{ body: "ab", trailers: [["X", "y"]], ended: true }]);
  });

  it("by the close: ended by eof, not kept alive", () => {
    const text = "HTTP/1.1 200 OK\r\n\r\nabc";
    expect(only(text).messages).toMatchObject([{ framing: "close", body: "abc", ended: false }]);
    expect(only(text, "GET", true)).toMatchObject({
      error: null,
      messages: [{ body: "abc", keepAlive: false, ended: true }],
    });
  });

  it("by the close, past the limit: 502", () => {
    const limits = { ...LIMITS, body: 3 };
    const taken = receiveResponses("HTTP/1.1 200 OK\r\n\r\nabcd", [], ["GET"], limits);
    expect(taken.error).toMatch(/^502 BODY_TOO_LARGE/);
    expect(taken.messages[0]?.body).toBe("abc");
  });

  it("HEAD, 204, 304: at once, whatever the fields say", () => {
    const fields = "Content-Length: 5\r\n\r\n";
    const head = only(`HTTP/1.1 200 OK\r\n${fields}`, "HEAD").messages[0];
    expect(head).toMatchObject({ framing: "none", ended: true, fields: [["Content-Length", "5"]] });
    expect(
      only("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD").messages,
    ).toMatchObject([{ framing: "none", ended: true }]);
    expect(only(`HTTP/1.1 304 Not Modified\r\n${fields}`).messages).toMatchObject([
      { framing: "none", ended: true, fields: [["Content-Length", "5"]] },
    ]);
    expect(
      only(`HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n`).messages,
    ).toMatchObject([{ framing: "none", ended: true, fields: [] }]);
    expect(only(`HTTP/1.1 204 No Content\r\n${fields}`).messages).toMatchObject([
      { framing: "none", ended: true, fields: [] },
    ]);
  });

  it("closed within a head, a length, a chunk, or before any octet: premature", () => {
    for (const text of [
      "",
      "HTTP/1.1 20",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
    ]) {
      expect(only(text, "GET", true).error).toMatch(/^502 PREMATURE_CLOSE/);
    }
  });
});

describe("response receiver: sequences", () => {
  it("interim responses: heads of their own, then the final one", () => {
    const { messages, error } = receiveResponses(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
    );
    expect(error).toBeNull();
    expect(messages.map((m) => [m.start, m.body, m.ended])).toEqual([
      ["100 Continue 1.1", "", false],
      ["103 Early Hints 1.1", "", false],
      ["200 OK 1.1", "a", true],
    ]);
  });

  it("101, and 2xx to CONNECT: a tunnel, the rest is left", () => {
    const text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x81\x05";
    const upgraded = receiveResponses(text);
    expect(upgraded).toMatchObject({
      messages: [{ framing: "tunnel" }],
      consumed: text.length - 2,
    });
    const connected = receiveResponses("HTTP/1.1 200 OK\r\n\r\nraw", [], ["CONNECT"]);
    expect(connected).toMatchObject({ messages: [{ framing: "tunnel" }], consumed: 19 });
    const refused = receiveResponses(
      "HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\na",
      [],
      ["CONNECT"],
    );
    expect(refused.messages).toMatchObject([{ framing: "length 1", body: "a", ended: true }]);
  });

  it("two responses at once: the second waits for begin", () => {
    const two =
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\n";
    expect(receiveResponses(two).messages.length).toBe(1);
    const { messages } = receiveResponses(two, [], ["GET", "HEAD"]);
    expect(messages.map((m) => [m.start, m.ended])).toEqual([
      ["200 OK 1.1", true],
      ["404 No 1.1", true],
    ]);
  });

  it("before begin: paused; started with the first octet after it", () => {
    const receiver = new ResponseReceiver(LIMITS);
    const head = new ResponseHead();
    const text = bytesOf("HTTP/1.1 200 OK\r\n\r\n");
    expect(receiver.receive(text, 0, text.length, head)).toBe("paused");
    receiver.begin("GET");
    expect(receiver.receive(text, 0, 0, head)).toBe("need-data");
    expect(receiver.started).toBe(false);
    expect(receiver.receive(text, 0, 1, head)).toBe("need-data");
    expect([receiver.started, receiver.inHead]).toEqual([true, true]);
    receiver.begin("GET");
    expect([receiver.started, receiver.inHead]).toEqual([false, false]);
  });

  it("what real servers send: empty reason, no space before it, HTTP/1.0, odd statuses", () => {
    const start = (line: string): string | undefined =>
      receiveResponses(`${line}\r\nContent-Length: 0\r\n\r\n`).messages[0]?.start;
    expect(start("HTTP/1.1 200 ")).toBe("200  1.1");
    expect(start("HTTP/1.1 200")).toBe("200  1.1");
    expect(start("HTTP/1.0 404 Not Found")).toBe("404 Not Found 1.0");
    expect(start("HTTP/1.1 999 \xe9")).toBe("999 \xe9 1.1");
  });

  it("HTTP/1.0: kept alive only on demand", () => {
    const kept = (fields: string): boolean | undefined =>
      receiveResponses(`HTTP/1.0 200 OK\r\nContent-Length: 0\r\n${fields}\r\n`).messages[0]
        ?.keepAlive;
    expect(kept("")).toBe(false);
    expect(kept("Connection: keep-alive\r\n")).toBe(true);
  });
});
