import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type ClientHttp2Stream, constants } from "node:http2";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { RawOrigin } from "../../support/raw-origin.ts";
import { aWhile, drivers, eventually, startProxy } from "../support.ts";
import { H2Client } from "./client.ts";

const SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
const CONNECTED = "HTTP/1.1 200 Connected\r\n\r\n";

/** An origin that turns to bytes with `head`, and sends back what it gets; at the end it says "bye". */
const echoing = (head: string): Promise<RawOrigin> =>
  RawOrigin.start((c, chunk) => {
    if (c.received.length > chunk.length) return void c.socket.write(chunk);
    const text = chunk.toString("latin1");
    c.socket.write(Buffer.from(head + text.slice(text.indexOf("\r\n\r\n") + 4), "latin1"));
    c.socket.on("end", () => c.socket.end("bye"));
  });

const extended = {
  ":method": "CONNECT",
  ":protocol": "echo",
  ":scheme": "http",
  ":authority": "h",
};

async function openTunnel(client: H2Client, fields: Record<string, string>) {
  const stream = client.open(fields, false);
  const [head] = (await once(stream, "response")) as [{ ":status": number }];
  return { stream, status: head[":status"], read: () => collected(stream) };
}

/** All bytes until the far end ends. */
async function collected(stream: ClientHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe.each(drivers)("http/2 tunnels (%s)", (driver) => {
  test("extended CONNECT, becomes an upgrade at an HTTP/1.1 origin, with half-close both ways", async () => {
    await using origin = await echoing(SWITCHED);
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    await once(client.session, "remoteSettings");
    const { stream, status, read } = await openTunnel(client, { ...extended, ":path": "/chat" });
    expect(status).toBe(200);
    stream.end("hello");
    expect((await read()).toString()).toBe("hellobye");
    expect(origin.connections[0]!.received).toContain("GET /chat HTTP/1.1\r\n");
    expect(origin.connections[0]!.received.toLowerCase()).toContain("upgrade: echo\r\n");
    await eventually("the tunnel is over", () => proxy.recorder.requests.length === 1);
    expect(proxy.recorder.last).toMatchObject({ status: 101, error: null, requestBytes: 5 });
    // The connection goes on.
    const again = await openTunnel(client, { ...extended, ":path": "/again" });
    again.stream.end("x");
    expect((await again.read()).toString()).toBe("xbye");
  });

  test("4 MiB through a tunnel, both ways at once, arrive whole", async () => {
    await using origin = await echoing(SWITCHED);
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    await once(client.session, "remoteSettings");
    const { stream, read } = await openTunnel(client, { ...extended, ":path": "/" });
    const bytes = randomBytes(4 << 20);
    stream.end(bytes);
    const echoed = await read();
    expect(echoed.subarray(0, -3).equals(bytes)).toBe(true);
  });

  test("CONNECT, where it is allowed, is a tunnel", async () => {
    await using origin = await echoing(CONNECTED);
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      listener: { allowConnect: true },
    });
    await using client = await H2Client.connect(proxy.port);
    const fields = { ":method": "CONNECT", ":authority": "db.test:5432" };
    const stream = client.session.request(fields, { endStream: false });
    const [head] = (await once(stream, "response")) as [{ ":status": number }];
    expect(head[":status"]).toBe(200);
    expect(origin.connections[0]!.received).toContain("CONNECT db.test:5432 HTTP/1.1\r\n");
    stream.end("ping");
    expect((await collected(stream)).toString()).toBe("pingbye");
  });

  test("CONNECT, where it is not allowed, is answered 405", async () => {
    await using proxy = await startProxy({ driver });
    await using client = await H2Client.connect(proxy.port);
    const fields = { ":method": "CONNECT", ":authority": "db.test:5432" };
    const stream = client.session.request(fields, { endStream: false });
    const [head] = (await once(stream, "response")) as [{ ":status": number }];
    expect(head[":status"]).toBe(405);
    stream.resume();
    await once(stream, "close");
    expect(proxy.recorder.last.status).toBe(405);
  });

  test("an origin that refuses the upgrade, is heard", async () => {
    await using origin = await RawOrigin.start((c) =>
      c.socket.write("HTTP/1.1 426 No\r\nContent-Length: 2\r\n\r\nno"),
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    await once(client.session, "remoteSettings");
    const { stream, status, read } = await openTunnel(client, { ...extended, ":path": "/" });
    expect(status).toBe(426);
    expect((await read()).toString()).toBe("no");
    stream.destroy();
  });

  test("an origin that answers 200 as if nothing were asked, is no tunnel to the client: 502", async () => {
    await using origin = await RawOrigin.start((c) =>
      c.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    await once(client.session, "remoteSettings");
    const { stream, status } = await openTunnel(client, { ...extended, ":path": "/" });
    expect(status).toBe(502);
    stream.destroy();
    await eventually("it is over", () => proxy.recorder.requests.length === 1);
    expect(proxy.recorder.last).toMatchObject({ status: 502, error: "UNSUPPORTED" });
  });

  test("a hook that answers extended CONNECT with 200, is no tunnel either: 501", async () => {
    await using proxy = await startProxy({
      driver,
      program: { requestFilter: (session) => session.respond(200, null, "hi") },
    });
    await using client = await H2Client.connect(proxy.port);
    await once(client.session, "remoteSettings");
    const { stream, status, read } = await openTunnel(client, { ...extended, ":path": "/" });
    expect(status).toBe(501);
    expect((await read()).length).toBe(0);
    stream.destroy();
  });

  test("a client that resets its tunnel, closes the origin's side, and the other way round", async () => {
    await using origin = await echoing(SWITCHED);
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    await once(client.session, "remoteSettings");
    const first = await openTunnel(client, { ...extended, ":path": "/" });
    first.stream.close(constants.NGHTTP2_CANCEL);
    await eventually("origin left", () => origin.connections[0]!.ended !== "open");
    const second = await openTunnel(client, { ...extended, ":path": "/" });
    origin.connections[1]!.socket.resetAndDestroy();
    await once(second.stream, "close");
    expect(second.stream.rstCode).not.toBe(0);
    await eventually("both are over", () => proxy.recorder.requests.length === 2);
  });

  test("an end that reads nothing, stops the other; nothing piles up", async () => {
    let taken = 0;
    const server = createServer((socket) => {
      socket.once("data", () => {
        socket.write(SWITCHED);
        socket.pause();
        setTimeout(() => socket.resume(), 50);
        socket.on("data", (chunk) => (taken += chunk.length));
      });
      socket.on("error", () => {});
      socket.on("end", () => socket.end());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const { port } = server.address() as AddressInfo;
      await using proxy = await startProxy({ driver, to: [port] });
      await using client = await H2Client.connect(proxy.port);
      await once(client.session, "remoteSettings");
      const { stream, read } = await openTunnel(client, { ...extended, ":path": "/" });
      stream.end(Buffer.alloc(8 << 20));
      await aWhile(20);
      await read();
      expect(taken).toBe(8 << 20);
    } finally {
      server.close();
    }
  });
});
