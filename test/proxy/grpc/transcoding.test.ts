import { describe, expect, test } from "vitest";
import { millis } from "../../../src/core/time.ts";
import { libraryDescriptors } from "../../../src/grpc/testing/library-descriptors.ts";
import { createCompression } from "../../../src/proxy/compression/compression.ts";
import { createTranscoding } from "../../../src/proxy/grpc/transcoding.ts";
import { H2Client } from "../http2/client.ts";
import { drivers, type ProxyOptions, startProxy } from "../support.ts";
import { LibraryServer } from "./library.ts";

const transcoding = createTranscoding({ descriptors: libraryDescriptors(), maxMessage: 10_000 });
const program = { bridge: transcoding.open.bind(transcoding) };

describe.each(drivers)("JSON for gRPC through the proxy (%s)", (driver) => {
  async function chain(options: Partial<ProxyOptions> = {}) {
    const stack = new AsyncDisposableStack();
    const server = stack.use(await LibraryServer.start());
    const proxy = stack.use(
      await startProxy({
        driver,
        to: [server.port],
        program,
        ...options,
        origin: { protocol: "http2", ...options.origin },
      }),
    );
    const ask = async (path: string, init: RequestInit = {}) => {
      const type = init.body ? { "Content-Type": "application/json; charset=utf-8" } : {};
      const headers = { Connection: "close", ...type, ...init.headers };
      const response = await fetch(`http://127.0.0.1:${proxy.port}${path}`, { ...init, headers });
      const text = await response.text();
      return {
        status: response.status,
        type: response.headers.get("content-type"),
        text,
        response,
      };
    };
    return { proxy, server, ask, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  test("GET, POST and PATCH, are calls, and their answers JSON", async () => {
    await using c = await chain();
    const got = await c.ask("/v1/shelves/1", { headers: { "X-Id": "7" } });
    expect(got).toMatchObject({ status: 200, type: "application/json" });
    expect(JSON.parse(got.text)).toEqual({ name: "shelves/1", theme: "sea", bookCount: "3" });
    expect(got.response.headers.get("x-initial")).toBe("first");
    expect(got.response.headers.has("grpc-status")).toBe(false);
    expect(c.server.metadata?.get("x-id")).toEqual(["7"]);
    const body = JSON.stringify({ theme: "größe", bookCount: 5 });
    const posted = await c.ask("/v1/shelves", { method: "POST", body });
    expect(JSON.parse(posted.text)).toEqual({ theme: "größe", bookCount: "5" });
    const shelf = JSON.stringify({ shelf: { theme: "x" } });
    const patched = await c.ask("/v1/shelves/9", { method: "PATCH", body: shelf });
    expect(JSON.parse(patched.text)).toEqual({ name: "shelves/9", theme: "x" });
    const listed = await c.ask("/v1/shelves?tags=a&tags=b&pageToken=n");
    expect(JSON.parse(listed.text)).toEqual({ shelves: [{ name: "a,b" }], next: "n" });
    expect(await c.ask("/v1/shelves/1/cover")).toMatchObject({
      type: "image/x",
      text: "\x01\x02\x03",
    });
    await c.proxy.settled();
    expect(c.proxy.recorder.requests.every((r) => r.grpcStatus === 0)).toBe(true);
  });

  test("over HTTP/2, the same", async () => {
    await using c = await chain();
    await using client = await H2Client.connect(c.proxy.port);
    const got = await client.ask({ ":path": "/v1/shelves/1" });
    expect(JSON.parse(got.body.toString())).toMatchObject({ name: "shelves/1" });
    expect(got.trailers).toBeNull();
    const head = { ":method": "POST", ":path": "/v1/shelves" };
    const posted = await client.ask(head, '{"theme":"y"}');
    expect(JSON.parse(posted.body.toString())).toEqual({ theme: "y" });
  });

  test("a stream of messages, is an array, or lines when asked for", async () => {
    await using c = await chain();
    const array = await c.ask("/v1/search/sea?count=3");
    const three = [{ name: "sea 1" }, { name: "sea 2" }, { name: "sea 3" }];
    expect(JSON.parse(array.text)).toEqual(three);
    expect((await c.ask("/v1/search/sea")).text).toBe("[]\n");
    const lines = await c.ask("/v1/search/sea?count=3", {
      headers: { Accept: "application/x-ndjson" },
    });
    expect(lines.type).toBe("application/x-ndjson");
    expect(
      lines.text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(three);
  });

  test("errors, have their status in HTTP and a google.rpc.Status as body", async () => {
    await using c = await chain();
    const none = await c.ask("/v1/shelves/none");
    expect(none).toMatchObject({ status: 404, type: "application/json" });
    expect(JSON.parse(none.text)).toEqual({
      code: 5,
      message: "kein Regal: größer, 100%",
      details: [],
    });
    await c.proxy.settled();
    expect(c.proxy.recorder.last).toMatchObject({ status: 404, grpcStatus: 5 });
    // Behind messages, the array's last element says so.
    const behind = await c.ask("/v1/search/fail?count=1");
    expect(behind.status).toBe(200);
    expect(JSON.parse(behind.text)).toEqual([
      { name: "fail 1" },
      { error: { code: 10, message: "enough", details: [] } },
    ]);
    const first = await c.ask("/v1/search/fail");
    expect(first).toMatchObject({ status: 409 });
    expect(JSON.parse(first.text)).toMatchObject({ code: 10 });
  });

  test.each([
    ["/v1/shelves", { method: "POST", body: "{" }, 400, 3],
    ["/v1/shelves?colour=red", {}, 400, 3],
    ["/v1/nothing/here/at/all", {}, 404, 5],
    ["/v1/shelves", { method: "DELETE" }, 405, 12],
    [
      "/v1/shelves",
      { method: "POST", body: JSON.stringify({ theme: "x".repeat(20_000) }) },
      413,
      8,
    ],
  ])("%s with %j, is refused with %d", async (path, init, status, code) => {
    await using c = await chain();
    const answer = await c.ask(path, init);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ code });
    expect(c.server.calls).toBe(0);
    if (status === 405) expect(answer.response.headers.get("allow")).toBe("GET, POST");
  });

  test.each([
    [{ "Content-Type": "text/plain" }, "accept", "application/json"],
    [{ "Content-Encoding": "gzip" }, "accept-encoding", "identity"],
  ])("a body with %j, is refused with 415 and %s: %s", async (headers, name, hint) => {
    await using c = await chain();
    const answer = await c.ask("/v1/shelves", { method: "POST", body: "{}", headers });
    expect(answer.status).toBe(415);
    expect(answer.response.headers.get(name)).toBe(hint);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 3 });
    expect(c.server.calls).toBe(0);
  });

  test("a response larger than a message may be, is an error", async () => {
    await using c = await chain({ listener: { limits: { requestLine: 20_000 } } });
    const long = "x".repeat(8_000);
    const body = JSON.stringify({ shelf: { theme: long } });
    expect((await c.ask("/v1/shelves/9", { method: "PATCH", body })).status).toBe(200);
    const list = await c.ask(`/v1/shelves?tags=${long}&pageToken=${long.slice(0, 4_000)}`);
    expect(list.status).toBe(502);
    expect(JSON.parse(list.text)).toMatchObject({ code: 14, message: "502 Bad Gateway" });
  });

  test("failures of the proxy, are JSON, too", async () => {
    await using c = await chain({ origin: { timeouts: { total: millis(80) } } });
    const late = await c.ask("/v1/shelves/hang");
    expect(late.status).toBe(504);
    expect(JSON.parse(late.text)).toEqual({ code: 4, message: "504 Gateway Timeout", details: [] });
    const begun = await c.ask("/v1/search/hang?count=1");
    expect(JSON.parse(begun.text)).toMatchObject([{ name: "hang 1" }, { error: { code: 4 } }]);
    await c.server[Symbol.asyncDispose]();
    expect(await c.ask("/v1/shelves/1")).toMatchObject({ status: 502 });
  });

  test("a deadline in the request, is the call's", async () => {
    await using c = await chain();
    const late = await c.ask("/v1/shelves/hang", { headers: { "Grpc-Timeout": "100m" } });
    expect(late.status).toBe(504);
  });

  test("an upstream that speaks no gRPC, is a 502 or its own error", async () => {
    await using c = await chain({
      program: {
        ...program,
        upstreamRequestFilter: (session) => {
          session.upstreamRequest.headers.set("Content-Type", "text/plain");
        },
      },
    });
    const answer = await c.ask("/v1/shelves/1");
    expect(answer.status).toBe(415);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 2 });
  });

  test("compression, takes the JSON, errors and streams included", async () => {
    const compression = createCompression({ encodings: ["gzip"], minLength: 0 });
    await using c = await chain({ program: { ...program, compression: () => compression } });
    const shelf = await c.ask("/v1/shelves/1");
    expect(shelf.response.headers.get("content-encoding")).toBe("gzip");
    expect(JSON.parse(shelf.text)).toMatchObject({ name: "shelves/1" });
    expect(JSON.parse((await c.ask("/v1/search/sea?count=200")).text)).toHaveLength(200);
    const none = await c.ask("/v1/shelves/none");
    expect(none.status).toBe(404);
    expect(JSON.parse(none.text)).toMatchObject({ code: 5 });
  });

  test("a client of HTTP/1.0, gets its JSON until close", async () => {
    await using c = await chain();
    await using client = await c.proxy.client();
    await client.send("GET /v1/search/sea?count=2 HTTP/1.0\r\nHost: a\r\n\r\n");
    await client.untilEnd();
    const text = client.bytes.toString("latin1");
    expect(text).toMatch(/\r\n\r\n\[\{"name":"sea 1"\},\n\{"name":"sea 2"\}\]\n$/);
    expect(text.toLowerCase()).not.toContain("transfer-encoding");
  });

  test("hooks, see gRPC between the bridge and the upstream", async () => {
    const seen: string[] = [];
    await using c = await chain({
      program: {
        ...program,
        upstreamRequestFilter: ({ upstreamRequest }) => {
          seen.push(`${upstreamRequest.method} ${upstreamRequest.target}`);
        },
        requestBodyFilter: (_session, piece, end) => {
          seen.push(`${piece?.length ?? "none"}${end ? " end" : ""}`);
        },
        responseBodyFilter: (_session, piece) => {
          if (piece !== null) seen.push(`response ${piece[0]}`);
        },
        responseFilter: ({ response }) => {
          response?.headers.set("X-Seen", response.headers.get("content-type") ?? "");
        },
      },
    });
    const shelf = await c.ask("/v1/shelves/1");
    expect(JSON.parse(shelf.text)).toMatchObject({ name: "shelves/1" });
    expect(shelf.response.headers.get("x-seen")).toMatch(/^application\/grpc/);
    expect(seen.slice(0, 4)).toEqual([
      "POST /library.Library/GetShelf",
      "16",
      "none end",
      "response 0",
    ]);
  });

  test("a hook that answers, answers as it is", async () => {
    await using c = await chain({
      program: { ...program, requestFilter: (session) => session.respond(401, null, "who?") },
    });
    const answer = await c.ask("/v1/shelves/1");
    expect(answer).toMatchObject({ status: 401, text: "who?" });
    await c.proxy.settled();
    expect(c.proxy.recorder.last.grpcStatus).toBe(16);
  });

  test("an endpoint that is not there, another one is tried with the same message", async () => {
    await using c = await chain();
    await using two = await startProxy({
      driver,
      to: [9, c.server.port],
      program,
      origin: { protocol: "http2" },
    });
    const headers = { Connection: "close", "Content-Type": "application/json" };
    for (let i = 0; i < 2; i++) {
      const response = await fetch(`http://127.0.0.1:${two.port}/v1/shelves`, {
        method: "POST",
        headers,
        body: JSON.stringify({ theme: `t${i}` }),
      });
      expect(await response.json()).toEqual({ theme: `t${i}` });
    }
    await two.settled();
    expect(two.recorder.requests.some(({ attempts }) => attempts === 2)).toBe(true);
  });

  test("calls of gRPC on the same listener, pass", async () => {
    await using c = await chain();
    await using client = await H2Client.connect(c.proxy.port);
    const answer = await client.ask(
      {
        ":method": "POST",
        ":path": "/library.Library/GetShelf",
        "content-type": "application/grpc",
        te: "trailers",
      },
      Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x61]),
    );
    expect(answer.trailers).toMatchObject({ "grpc-status": "0" });
  });
});
