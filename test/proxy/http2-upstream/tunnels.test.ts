import { once } from "node:events";
import type { ClientHttp2Stream, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { H2Client } from "../http2/client.ts";
import { drivers, eventually, startProxy } from "../support.ts";
import { H2Origin } from "./origin.ts";

const origin = { protocol: "http2" } as const;
const options = { settings: { enableConnectProtocol: true } };

/** Takes every extended CONNECT, and sends back what comes. */
const echoing = (heads: IncomingHttpHeaders[] = []) =>
  H2Origin.start((stream: ServerHttp2Stream, head) => {
    heads.push(head);
    stream.respond({ ":status": 200 });
    stream.pipe(stream);
  }, options);

const extended = (more: Record<string, string> = {}) => ({
  ":method": "CONNECT",
  ":protocol": "websocket",
  ":scheme": "http",
  ":path": "/chat",
  "sec-websocket-version": "13",
  ...more,
});

async function opened(client: H2Client, head: Record<string, string>): Promise<ClientHttp2Stream> {
  if (!client.session.remoteSettings.enableConnectProtocol) {
    await once(client.session, "remoteSettings");
  }
  return client.open(head, false);
}

describe.each(drivers)("tunnels to an upstream of HTTP/2 (%s)", (driver) => {
  test("a WebSocket of HTTP/1.1, becomes extended CONNECT, and its key is answered here", async () => {
    const heads: IncomingHttpHeaders[] = [];
    await using server = await echoing(heads);
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/chat`, { perMessageDeflate: false });
    // The client checks Sec-WebSocket-Accept.
    await once(socket, "open");
    expect(heads[0]).toMatchObject({ ":method": "CONNECT", ":protocol": "websocket" });
    expect(heads[0]).toMatchObject({ ":path": "/chat", ":scheme": "http" });
    expect(heads[0]!["sec-websocket-key"]).toBeUndefined();
    expect(heads[0]!["sec-websocket-version"]).toBe("13");
    // What comes back has a client's mask, which a client must refuse: the bytes went through.
    const refused = once(socket, "error");
    socket.send("hello");
    const [error] = (await refused) as [Error];
    expect(error.message).toContain("MASK");
    await eventually("it is counted", () => proxy.recorder.requests.length === 1);
    expect(proxy.recorder.last).toMatchObject({ status: 101, target: "/chat" });
  });

  test("extended CONNECT, from HTTP/2 to HTTP/2, as it is, with half-close both ways", async () => {
    const heads: IncomingHttpHeaders[] = [];
    await using server = await echoing(heads);
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using client = await H2Client.connect(proxy.port);
    const stream = await opened(client, extended({ ":protocol": "other" }));
    await once(stream, "response");
    stream.end("hello");
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe("hello");
    expect(heads[0]).toMatchObject({ ":protocol": "other" });
    await eventually("it is over", () => proxy.recorder.requests.length === 1);
    expect(proxy.recorder.last).toMatchObject({ status: 101, error: null });
  });

  test("a refused WebSocket, is refused to the client with the server's answer", async () => {
    await using server = await H2Origin.start((stream) => {
      stream.respond({ ":status": 403 });
      stream.end("no");
    }, options);
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
    socket.on("error", () => {});
    const [, response] = await once(socket, "unexpected-response");
    expect(response.statusCode).toBe(403);
    socket.terminate();
  });

  test("a server without extended CONNECT, cannot be asked for a WebSocket", async () => {
    await using server = await H2Origin.start((stream) => stream.respond({ ":status": 200 }));
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
    socket.on("error", () => {});
    const [, response] = await once(socket, "unexpected-response");
    expect(response.statusCode).toBe(502);
    expect([proxy.recorder.last.error, server.asked]).toEqual(["UNSUPPORTED", []]);
    socket.terminate();
  });

  test("another Upgrade of HTTP/1.1, is ignored, and the request goes as any", async () => {
    await using server = await H2Origin.start((stream, head) => {
      stream.respond({ ":status": 200 });
      stream.end(`${head[":method"]} ${head.upgrade}`);
    }, options);
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using client = await proxy.client();
    const upgrade = "Connection: upgrade\r\nUpgrade: other";
    await client.send(`GET / HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n\r\n`);
    expect((await client.response()).body.toString()).toBe("GET undefined");
  });

  test("CONNECT, becomes a stream that carries bytes", async () => {
    await using server = await echoing();
    const listener = { allowConnect: true };
    await using proxy = await startProxy({ driver, to: [server.port], origin, listener });
    await using client = await proxy.client();
    await client.send("CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n\r\n");
    await client.until((text) => text.includes("\r\n\r\n"));
    await client.send("hello");
    await client.until((text) => text.endsWith("hello"));
    expect(server.asked).toEqual(["CONNECT undefined"]);
    client.halfClose();
    expect(await client.untilEnd()).toBe("closed");
  });
});
