import { describe, expect, it } from "vitest";
import { bytesOf } from "../core/bytes.ts";
import { RequestReceiver } from "./h1/request-receiver.ts";
import { RequestHead } from "./request-head.ts";
import { LIMITS, TextSink } from "./testing/transcript.ts";

const received = (text: string): RequestHead => {
  const head = new RequestHead();
  const bytes = bytesOf(text);
  expect(new RequestReceiver(LIMITS).receive(bytes, 0, bytes.length, head)).toBe("head");
  return head;
};

const written = (head: RequestHead): TextSink => {
  const sink = new TextSink();
  head.writeTo(sink);
  return sink;
};

describe("request head: reading", () => {
  it("methods: known and unknown, case-sensitive", () => {
    for (const method of [
      "GET",
      "PUT",
      "HEAD",
      "POST",
      "PATCH",
      "TRACE",
      "DELETE",
      "OPTIONS",
      "QUERY",
      "get",
      "M-SEARCH",
      "PURGE",
      "X",
    ]) {
      const head = received(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect(head.method).toBe(method);
      expect([head.isMethod(method), head.isMethod(`${method}X`)]).toEqual([true, false]);
    }
  });

  it("path and query: told apart at the first question mark", () => {
    for (const [target, path, query] of [
      ["/", "/", ""],
      ["/a?", "/a", ""],
      ["/a?b?c", "/a", "b?c"],
      ["//a//b", "//a//b", ""],
      ["/%2e%2E/..?%00", "/%2e%2E/..", "%00"],
      ["http://b", "/", ""],
      ["http://b?c", "/", "c"],
      ["HTTPS://b/c?d", "/c", "d"],
    ] as const) {
      const head = received(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect([head.target, head.path, head.query]).toEqual([target, path, query]);
    }
  });

  it("host name: without port, in lower case, also after Host was set", () => {
    for (const [host, name] of [
      ["A.Example", "a.example"],
      ["a:80", "a"],
      ["a:", "a"],
      ["[::1]", "[::1]"],
      ["[::1]:80", "[::1]"],
      ["1.2.3.4:5", "1.2.3.4"],
    ] as const) {
      const head = received(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect([head.authority, head.hostName]).toEqual([host, name]);
    }
    const head = received("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    head.headers.set("Host", "B:1");
    expect([head.authority, head.hostName]).toEqual(["B:1", "b"]);
    head.headers.delete("Host");
    expect([head.authority, head.hostName]).toEqual(["", ""]);
  });
});

describe("request head: writing", () => {
  it("unedited: the octets that came, in one write", () => {
    const text = "GET /a?b HTTP/1.1\r\nhOST:   a\r\nX-y:\r\n\r\n";
    expect(written(received(text))).toMatchObject({ writes: 1, text });
  });

  it("HTTP/1.0 and later minor versions: as HTTP/1.1, in one write", () => {
    for (const minor of [0, 2, 9]) {
      expect(written(received(`GET / HTTP/1.${minor}\r\nHost: a\r\n\r\n`))).toMatchObject({
        writes: 1,
        text: "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      });
    }
  });

  it("absolute-form: as origin-form, with its authority as Host", () => {
    const line = (method: string, target: string): string =>
      written(received(`${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)).text;
    expect(line("GET", "http://b/c?d")).toBe("GET /c?d HTTP/1.1\r\nHost: b\r\n\r\n");
    expect(line("GET", "http://b")).toBe("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
    expect(line("GET", "http://b?d")).toBe("GET /?d HTTP/1.1\r\nHost: b\r\n\r\n");
    expect(line("GET", "http://a/")).toBe("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(line("OPTIONS", "http://b")).toBe("OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n");
    expect(line("OPTIONS", "http://b/")).toBe("OPTIONS / HTTP/1.1\r\nHost: b\r\n\r\n");
    expect(line("OPTIONS", "http://b?c")).toBe("OPTIONS /?c HTTP/1.1\r\nHost: b\r\n\r\n");
  });

  it("CONNECT and asterisk: as they are", () => {
    for (const text of [
      "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    ]) {
      expect(written(received(text)).text).toBe(text);
    }
  });

  it("method and target set: a new start line before the same fields", () => {
    const head = received("GET http://b/c?d HTTP/1.0\r\nHost: a\r\nX: y\r\n\r\n");
    head.method = "PUT";
    expect(written(head).text).toBe("PUT /c?d HTTP/1.1\r\nX: y\r\nHost: b\r\n\r\n");
    head.target = "/new?q";
    expect([head.method, head.target, head.path, head.query]).toEqual([
      "PUT",
      "/new?q",
      "/new",
      "q",
    ]);
    expect(written(head).text).toBe("PUT /new?q HTTP/1.1\r\nX: y\r\nHost: b\r\n\r\n");
  });

  it("a method or target that would break the line: TypeError, nothing changed", () => {
    const head = received("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    for (const method of ["", " ", "A B", "GET\r\n", "G\u0147T", "\u0147", "CONNECT"]) {
      expect(() => (head.method = method), method).toThrow(TypeError);
    }
    for (const target of [
      "",
      "a",
      "/a b",
      "/\r\n",
      "/\xe9",
      "/\u0141",
      "/#",
      "*",
      "http://b/",
      "/\0",
    ]) {
      expect(() => (head.target = target), target).toThrow(TypeError);
    }
    expect(written(head).text).toBe("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
  });

  it("fields removed and added: the rest in runs, then the new, then the empty line", () => {
    const head = received("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nX: 1\r\nY: 2\r\n\r\n");
    head.removeHopByHop(false);
    head.headers.set("Via", "1.1 m");
    expect(written(head)).toMatchObject({
      writes: 2,
      text: "GET / HTTP/1.1\r\nHost: a\r\nY: 2\r\nVia: 1.1 m\r\n\r\n",
    });
  });
});

describe("request head: reuse", () => {
  it("clear: a plain GET to fill", () => {
    const head = received("POST http://b/c HTTP/1.0\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
    head.clear();
    expect([head.method, head.target, head.path, head.authority]).toEqual(["GET", "/", "/", ""]);
    expect(head).toMatchObject({ minor: 1, framing: "none", contentLength: -1, keepAlive: true });
    head.headers.set("Host", "c");
    head.target = "/health";
    expect(written(head).text).toBe("GET /health HTTP/1.1\r\nHost: c\r\n\r\n");
    expect(written(new RequestHead()).text).toBe("GET / HTTP/1.1\r\n\r\n");
  });

  it("copyFrom: equal, and independent of later edits, whether or not the original was edited", () => {
    for (const edit of [false, true]) {
      const head = received("POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
      if (edit) head.target = "/c?d";
      const copy = new RequestHead();
      copy.copyFrom(head);
      const text = written(head).text;
      expect([copy.method, copy.target, copy.path, copy.query]).toEqual([
        head.method,
        head.target,
        head.path,
        head.query,
      ]);
      expect([copy.framing, copy.contentLength]).toEqual(["length", 0]);
      head.target = "/e";
      head.headers.set("Host", "b");
      expect(written(copy).text).toBe(text);
      copy.target = "/f";
      copy.headers.delete("Host");
      expect(written(head).text).toBe("POST /e HTTP/1.1\r\nContent-Length: 0\r\nHost: b\r\n\r\n");
    }
  });
});
