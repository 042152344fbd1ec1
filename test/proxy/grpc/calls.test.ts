import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { millis } from "../../../src/core/time.ts";
import { aWhile, drivers, eventually, type ProxyOptions, startProxy } from "../support.ts";
import { EchoClient, EchoServer } from "./echo.ts";

const hello = Buffer.from("hello");

describe.each(drivers)("gRPC through the proxy (%s)", (driver) => {
  /** A server, the proxy in front of it, and a client. */
  async function chain(options: Partial<ProxyOptions> = {}) {
    const stack = new AsyncDisposableStack();
    const server = stack.use(await EchoServer.start());
    const proxy = stack.use(
      await startProxy({
        driver,
        to: [server.port],
        ...options,
        origin: { protocol: "http2", ...options.origin },
      }),
    );
    const client = stack.use(new EchoClient(proxy.port));
    return { server, proxy, client, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  test("a unary call, brings its message, metadata and trailers, and is counted by its status", async () => {
    await using c = await chain();
    const { client, proxy, server } = c;
    const done = await client.ask("unary", [hello], { metadata: { "x-id": "7" } });
    expect(done).toMatchObject({ code: status.OK, messages: [hello] });
    expect(done.head?.get("x-initial")).toEqual(["first"]);
    expect(done.trailers.get("x-trailing")).toEqual(["last"]);
    expect(done.trailers.get("x-trailing-bin")).toEqual([Buffer.from([0, 255])]);
    expect(server.seen.metadata?.get("x-id")).toEqual(["7"]);
    await proxy.settled();
    expect(proxy.recorder.last).toMatchObject({ protocol: "h2", status: 200, grpcStatus: 0 });
  });

  test("streams of all kinds, bring what was sent in order", async () => {
    await using c = await chain();
    const { client } = c;
    const three = ["a", "b", "c"].map((text) => Buffer.from(text));
    expect((await client.ask("clientStream", three)).messages).toEqual([Buffer.from("abc")]);
    expect((await client.ask("serverStream", [hello])).messages).toEqual([hello, hello, hello]);
    expect((await client.ask("bidi", three)).messages).toEqual(three);
    expect((await client.ask("bidi", [])).code).toBe(status.OK);
  });

  test("a conversation, goes to and fro while both sides are open", async () => {
    await using c = await chain();
    const { call, messages, outcome } = c.client.open("bidi");
    for (let i = 0; i < 5; i++) {
      call.write(Buffer.from([i]));
      await eventually("it is echoed", () => messages.length === i + 1);
    }
    call.end();
    expect((await outcome).code).toBe(status.OK);
  });

  test("a message of 8 MiB, and one of no bytes, pass whole", async () => {
    await using c = await chain();
    const large = Buffer.alloc(8 * 1024 * 1024, "large");
    const [back] = (await c.client.ask("unary", [large])).messages;
    expect(back?.equals(large)).toBe(true);
    expect((await c.client.ask("unary", [Buffer.alloc(0)])).messages).toEqual([Buffer.alloc(0)]);
  });

  test("an error of the server, comes with its message and trailers, alone or behind messages", async () => {
    await using c = await chain();
    const { client, proxy } = c;
    const metadata = { "x-fail": String(status.FAILED_PRECONDITION) };
    const alone = await client.ask("unary", [hello], { metadata });
    expect(alone).toMatchObject({ code: 9, details: "größer, 100%: 9", messages: [] });
    expect(alone.trailers.get("x-trailing")).toEqual(["last"]);
    const behind = await client.ask("serverStream", [hello], { metadata });
    expect(behind).toMatchObject({ code: 9, messages: [hello, hello, hello] });
    await proxy.settled();
    expect(proxy.recorder.requests.map((r) => [r.status, r.grpcStatus])).toEqual([
      [200, 9],
      [200, 9],
    ]);
  });

  test("an answer before the request's end, ends the call", async () => {
    await using c = await chain();
    const { call, outcome } = c.client.open("clientStream", { metadata: { "x-fail": "11" } });
    call.write(hello);
    expect((await outcome).code).toBe(status.OUT_OF_RANGE);
    await c.proxy.settled();
  });

  test("a deadline, is passed on less what has passed", async () => {
    await using c = await chain({ program: { requestFilter: () => aWhile(60) } });
    expect((await c.client.ask("unary", [hello], { timeout: 5_000 })).code).toBe(status.OK);
    expect(c.server.seen.left).toBeLessThan(4_960);
    expect(c.server.seen.left).toBeGreaterThan(2_000);
  });

  test("a deadline that passes, ends the call on both sides", async () => {
    await using c = await chain();
    const { client, proxy, server } = c;
    const done = await client.ask("unary", [hello], { timeout: 150, metadata: { "x-hang": "1" } });
    expect(done.code).toBe(status.DEADLINE_EXCEEDED);
    await eventually("the server knows", () => server.seen.cancelled === 1);
    await proxy.settled();
  });

  test("the upstream's total time, less than the deadline, answers DEADLINE_EXCEEDED", async () => {
    await using c = await chain({ origin: { timeouts: { total: millis(80) } } });
    const { client, proxy } = c;
    const options = { timeout: 20_000, metadata: { "x-hang": "1" } };
    const done = await client.ask("unary", [hello], options);
    expect(done).toMatchObject({ code: 4, details: "504 Gateway Timeout" });
    // Where messages have gone out already, the status comes behind them.
    const begun = await client.ask("serverStream", [hello], options);
    expect(begun).toMatchObject({ code: 4, messages: [hello] });
    await proxy.settled();
    expect(proxy.recorder.requests.map((r) => [r.status, r.grpcStatus, r.error])).toEqual([
      [200, 4, "TOTAL_TIMEOUT"],
      [200, 4, "TOTAL_TIMEOUT"],
    ]);
  });

  test("a client that cancels, cancels at the server", async () => {
    await using c = await chain();
    const { client, proxy, server } = c;
    for (const kind of ["unary", "serverStream"] as const) {
      const { call, outcome } = client.open(kind, { metadata: { "x-hang": "1" } });
      call.end(hello);
      const before = server.seen.cancelled;
      server.seen.metadata = null;
      await eventually("the server has it", () => server.seen.metadata !== null);
      call.cancel();
      expect((await outcome).code).toBe(status.CANCELLED);
      await eventually("the server knows", () => server.seen.cancelled === before + 1);
    }
    await proxy.settled();
    const { CANCELLED } = status;
    expect(proxy.recorder.requests.map((r) => r.grpcStatus)).toEqual([CANCELLED, CANCELLED]);
  });

  test("nobody at the upstream, UNAVAILABLE; a server that goes away within a stream, too", async () => {
    await using c = await chain();
    const { client, proxy, server } = c;
    const { call, messages, outcome } = client.open("serverStream", {
      metadata: { "x-hang": "1" },
    });
    call.end(hello);
    await eventually("the stream has begun", () => messages.length === 1);
    await server[Symbol.asyncDispose]();
    expect(await outcome).toMatchObject({ code: status.UNAVAILABLE, messages: [hello] });
    const next = await client.ask("unary", [hello]);
    expect(next).toMatchObject({ code: status.UNAVAILABLE, details: "502 Bad Gateway" });
    await proxy.settled();
    expect(proxy.recorder.last).toMatchObject({ status: 200, grpcStatus: 14 });
  });

  test.each([
    [401, status.UNAUTHENTICATED],
    [403, status.PERMISSION_DENIED],
    [404, status.UNIMPLEMENTED],
    [429, status.RESOURCE_EXHAUSTED],
    [503, status.UNAVAILABLE],
  ])("a hook that answers %d, answers calls with status %d and its fields", async (http, code) => {
    await using c = await chain({
      program: { requestFilter: (session) => session.respond(http, { "X-Why": "so" }, "no") },
    });
    const done = await c.client.ask("unary", [hello]);
    expect(done.code).toBe(code);
    expect(done.trailers.get("x-why")).toEqual(["so"]);
  });

  test("a hook that throws, INTERNAL", async () => {
    await using c = await chain({
      program: {
        upstreamRequestFilter: () => {
          throw new Error("oops");
        },
      },
    });
    c.proxy.recorder.expected.add("upstreamRequestFilter");
    expect(await c.client.ask("unary", [hello])).toMatchObject({
      code: status.INTERNAL,
      details: "500 Internal Server Error",
    });
  });

  test("a body beyond the listener's limit, RESOURCE_EXHAUSTED", async () => {
    await using c = await chain({ listener: { limits: { body: 1000 } } });
    expect((await c.client.ask("unary", [Buffer.alloc(2000)])).code).toBe(
      status.RESOURCE_EXHAUSTED,
    );
  });

  test("an upstream that announces its length, has its trailers passed on", async () => {
    const upstream = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/grpc", "content-length": 10 });
      response.addTrailers({ "grpc-status": "0", "x-trailing": "last" });
      response.end(Buffer.from([0, 0, 0, 0, 5, ...hello]));
    });
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    await using c = await chain({ to: [(upstream.address() as AddressInfo).port] });
    const done = await c.client.ask("unary", [hello]);
    expect(done).toMatchObject({ code: status.OK, messages: [hello] });
    expect(done.trailers.get("x-trailing")).toEqual(["last"]);
    upstream.close();
  });

  test("hundreds of calls at once, share connections and all come back right", async () => {
    await using c = await chain();
    const calls = Array.from({ length: 300 }, async (_, i) => {
      const message = Buffer.alloc(1 + (i % 50) * 400, `${i}`);
      const { messages } = await c.client.ask(i % 2 === 0 ? "unary" : "bidi", [message]);
      return messages[0]?.equals(message);
    });
    expect((await Promise.all(calls)).every(Boolean)).toBe(true);
    expect(c.proxy.origin.connections).toBeLessThan(20);
  });
});
