import { createFileRegistry, fromBinary, type Message } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { describe, expect, test } from "vitest";
import { millis } from "../../../src/core/time.ts";
import { frameMessage } from "../../../src/grpc/message-frame.ts";
import { MessageReader } from "../../../src/grpc/message-reader.ts";
import { libraryDescriptors } from "../../../src/grpc/testing/library-descriptors.ts";
import { createGrpcWeb } from "../../../src/proxy/grpc/web-bridge.ts";
import { H2Client } from "../http2/client.ts";
import { drivers, eventually, type ProxyOptions, startProxy } from "../support.ts";
import { EchoServer } from "./echo.ts";
import { LibraryServer } from "./library.ts";

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, libraryDescriptors()));
const Library = registry.getService("library.Library")!;

/** A shelf, as clients made from descriptors see it. */
type Shelf = Message & { name: string; theme: string };
interface LibraryClient {
  getShelf(input: object, options?: object): Promise<Shelf>;
  search(input: object, options?: object): AsyncIterable<Shelf>;
}

const grpcWeb = createGrpcWeb({ cors: { exposeHeaders: ["x-id"] } });
const program = { bridge: grpcWeb.open.bind(grpcWeb) };

describe.each(drivers)("gRPC-Web through the proxy (%s)", (driver) => {
  async function chain(options: Partial<ProxyOptions> = {}) {
    const stack = new AsyncDisposableStack();
    const server = stack.use(await LibraryServer.start());
    const proxy = stack.use(
      await startProxy({
        driver,
        to: [server.port],
        program,
        // Of an aborted `fetch` the connection may stay.
        listener: { timeouts: { idle: millis(200) } },
        ...options,
        origin: { protocol: "http2", ...options.origin },
      }),
    );
    const baseUrl = `http://127.0.0.1:${proxy.port}`;
    // Connections of `fetch` would outlive the test.
    const close: typeof fetch = (url, init) => {
      const headers = new Headers(init?.headers);
      headers.set("Connection", "close");
      return fetch(url, { ...init, headers });
    };
    const transport = createGrpcWebTransport({ baseUrl, fetch: close });
    const client = createClient(Library, transport) as unknown as LibraryClient;
    return { proxy, server, client, baseUrl, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  test("the client of connect-web, unary: message, head and trailers come", async () => {
    await using c = await chain();
    let trailer: Headers | null = null;
    let header: Headers | null = null;
    const shelf = await c.client.getShelf(
      { name: "shelves/1" },
      { onHeader: (h: Headers) => (header = h), onTrailer: (t: Headers) => (trailer = t) },
    );
    expect(shelf.name).toBe("shelves/1");
    expect(header!.get("x-initial")).toBe("first");
    expect(trailer!.get("x-trailing")).toBe("last");
    await c.proxy.settled();
    expect(c.proxy.recorder.last).toMatchObject({
      protocol: "http/1.1",
      status: 200,
      grpcStatus: 0,
    });
  });

  test("the client of connect-web, server streaming: messages in order, as they come", async () => {
    await using c = await chain();
    const names: string[] = [];
    for await (const shelf of c.client.search({ query: "sea", count: 3 })) {
      names.push(shelf.name);
    }
    expect(names).toEqual(["sea 1", "sea 2", "sea 3"]);
  });

  test("errors, before and behind messages, come with their code and text", async () => {
    await using c = await chain();
    const alone = await c.client.getShelf({ name: "none" }).catch(ConnectError.from);
    expect(alone).toMatchObject({ code: Code.NotFound, rawMessage: "kein Regal: größer, 100%" });
    const names: string[] = [];
    const behind = (async () => {
      for await (const { name } of c.client.search({ query: "fail", count: 2 })) {
        names.push(name);
      }
    })();
    expect(await behind.catch(ConnectError.from)).toMatchObject({ code: Code.Aborted });
    expect(names).toEqual(["fail 1", "fail 2"]);
  });

  test("the client's deadline, is the server's", async () => {
    await using c = await chain();
    const options = { timeoutMs: 150 };
    const error = await c.client.getShelf({ name: "hang" }, options).catch(ConnectError.from);
    expect(error).toMatchObject({ code: Code.DeadlineExceeded });
    await eventually("the server knows", () => c.server.cancelled === 1);
  });

  test("failures of the proxy, are codes that the client knows", async () => {
    await using c = await chain({ origin: { timeouts: { total: millis(80) } } });
    const late = await c.client.getShelf({ name: "hang" }).catch(ConnectError.from);
    expect(late).toMatchObject({ code: Code.DeadlineExceeded, rawMessage: "504 Gateway Timeout" });
    await c.server[Symbol.asyncDispose]();
    const away = await c.client.getShelf({ name: "a" }).catch(ConnectError.from);
    expect(away).toMatchObject({ code: Code.Unavailable, rawMessage: "502 Bad Gateway" });
  });

  test("a stream that breaks off, ends with trailers that say so", async () => {
    await using c = await chain({ origin: { timeouts: { total: millis(150) } } });
    const names: string[] = [];
    const error = await (async () => {
      for await (const { name } of c.client.search({ query: "hang", count: 1 })) names.push(name);
    })().catch(ConnectError.from);
    expect(names).toEqual(["hang 1"]);
    expect(error).toMatchObject({ code: Code.DeadlineExceeded });
  });

  test("a preflight, is answered without the upstream; responses may be read", async () => {
    await using c = await chain();
    const url = `${c.baseUrl}/library.Library/GetShelf`;
    const origin = "https://app.example";
    const preflight = await fetch(url, {
      method: "OPTIONS",
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-grpc-web,authorization",
        Connection: "close",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
    expect(c.server.calls).toBe(0);
    const response = await fetch(url, {
      method: "POST",
      headers: { Origin: origin, "Content-Type": "application/grpc-web", Connection: "close" },
      body: frameMessage(Uint8Array.of(0x0a, 1, 0x61)),
    });
    await response.arrayBuffer();
    expect(response.headers.get("access-control-expose-headers")).toContain("grpc-status");
    expect(response.headers.get("content-type")).toBe("application/grpc-web+proto");
  });

  test("text over HTTP/2, goes in and comes out in base64 with its trailers", async () => {
    await using c = await chain();
    await using client = await H2Client.connect(c.proxy.port);
    const message = Buffer.from(frameMessage(Uint8Array.of(0x0a, 1, 0x61))).toString("base64");
    const answer = await client.ask(
      {
        ":method": "POST",
        ":path": "/library.Library/GetShelf",
        "content-type": "application/grpc-web-text",
        "x-grpc-web": "1",
      },
      // Cut into texts of their own, each padded.
      message,
    );
    expect(answer.headers["content-type"]).toBe("application/grpc-web-text+proto");
    expect(answer.trailers).toBeNull();
    const frames: number[] = [];
    const body = Buffer.from(answer.body.toString("latin1"), "base64");
    new MessageReader(1000).read(body, 0, body.length, {
      onMessage: (flags) => frames.push(flags),
    });
    expect(frames).toEqual([0, 0x80]);
    expect(body.toString("latin1")).toContain("grpc-status:0\r\n");
  });

  test("text that is no base64, is refused, and the upstream's call is cancelled", async () => {
    await using c = await chain();
    const response = await fetch(`${c.baseUrl}/library.Library/GetShelf`, {
      method: "POST",
      headers: { "Content-Type": "application/grpc-web-text", Connection: "close" },
      body: "!!!!",
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("grpc-status")).toBe("13");
    expect(await response.text()).toBe("");
  });

  test("what is no gRPC-Web, passes as it is", async () => {
    await using server = await EchoServer.start();
    await using proxy = await startProxy({
      driver,
      to: [server.port],
      program,
      origin: { protocol: "http2" },
    });
    const response = await fetch(`http://127.0.0.1:${proxy.port}/`, {
      headers: { Connection: "close" },
    });
    await response.arrayBuffer();
    expect(response.status).toBe(415);
    expect(proxy.recorder.last.grpcStatus).toBeNull();
  });
});
