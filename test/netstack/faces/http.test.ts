import { Agent, createServer, type IncomingMessage, type RequestOptions, request } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { millis, seconds } from "../../../src/core/time.ts";
import { once, SERVER, type World, world } from "./world.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Node's own HTTP server on the server's stack, fed by ours. */
function serve(w: World, listener: Parameters<typeof createServer>[1]) {
  const server = createServer(listener);
  const face = w.server.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    server.emit("connection", socket);
  });
  face.listen(80);
  closing.push(() => server.closeAllConnections());
  return { server, face };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function exchange(w: World, options: RequestOptions, body?: Buffer | string) {
  const sent = request({ host: SERVER, createConnection: connector(w), ...options });
  sent.end(body);
  const [response] = (await w.until(once(sent, "response"))) as [IncomingMessage];
  return { response, body: await w.until(bodyOf(response)), socket: sent.socket };
}

/** What `http.request` wants: the options have more fields than ours. */
const connector = (w: World) => (options: object) => w.client.connect(options as { port: number });

function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 10)) & 0xff;
  return bytes;
}

describe("node:http", () => {
  test("a request is answered over the simulated link", async () => {
    const w = world({ latency: millis(10) });
    serve(w, (req, res) => {
      res.setHeader("x-peer", String(req.socket.remoteAddress));
      res.end(`you asked for ${req.url}`);
    });
    const { response, body } = await exchange(w, { path: "/page" });
    expect(response.statusCode).toBe(200);
    expect(response.headers["x-peer"]).toBe("10.0.0.1");
    expect(String(body)).toBe("you asked for /page");
  });

  test("ten megabytes, chunked, go up and come down over a slow and lossy link", async () => {
    const w = world({
      latency: millis(5),
      bandwidth: 25_000_000,
      loss: 0.001,
      queueBytes: 500_000,
    });
    serve(w, (req, res) => {
      res.writeHead(200);
      req.pipe(res);
    });
    const sent = pattern(10 << 20);
    const upload = request({
      host: SERVER,
      method: "POST",
      createConnection: connector(w),
      headers: { "transfer-encoding": "chunked" },
    });
    for (let at = 0; at < sent.length; at += 100_000) upload.write(sent.subarray(at, at + 100_000));
    upload.end();
    const [response] = (await w.until(once(upload, "response"))) as [IncomingMessage];
    expect(response.headers["transfer-encoding"]).toBe("chunked");
    const echoed = await w.until(bodyOf(response));
    expect(echoed.equals(sent)).toBe(true);
  }, 60_000);

  test("a keep-alive agent uses one connection for many requests; the server closes it when idle", async () => {
    const w = world();
    const { server, face } = serve(w, (_req, res) => res.end("ok"));
    server.keepAliveTimeout = 4_000;
    let connections = 0;
    face.on("connection", () => connections++);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agent.createConnection = connector(w);
    closing.push(() => agent.destroy());
    for (let i = 0; i < 5; i++) {
      const { body } = await exchange(w, { agent, createConnection: undefined as never });
      expect(String(body)).toBe("ok");
    }
    expect(connections).toBe(1);
    const [kept] = Object.values(agent.freeSockets).flat();
    const idleSince = w.network.now;
    await w.until(once(kept!, "close"));
    const idle = w.network.now - idleSince;
    expect(idle).toBeGreaterThan(seconds(3));
    expect(idle).toBeLessThan(seconds(6));
  });

  test("a request's timeout is in the stack's time", async () => {
    const w = world();
    serve(w, () => {});
    const sent = request({ host: SERVER, createConnection: connector(w), timeout: 30_000 });
    sent.end();
    const started = w.network.now;
    await w.until(once(sent, "timeout"));
    expect(w.network.now - started).toBeGreaterThanOrEqual(seconds(30));
    const failed = once(sent, "error").catch((error) => [error]);
    sent.destroy();
    expect(await w.until(failed)).toMatchObject([{ code: "ECONNRESET" }]);
  });

  test("nobody listens: the request fails with what the socket says", async () => {
    const w = world();
    const sent = request({ host: SERVER, port: 81, createConnection: connector(w) });
    sent.end();
    const failed = once(sent, "error").catch((error) => [error]);
    expect(await w.until(failed)).toMatchObject([{ code: "ECONNREFUSED", port: 81 }]);
  });

  test("an upgrade hands the socket over, with what came behind the head", async () => {
    const w = world();
    const { server } = serve(w, undefined);
    server.on("upgrade", (_req, socket, head) => {
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n",
      );
      socket.write(head);
      socket.pipe(socket);
    });
    const sent = request({
      host: SERVER,
      createConnection: connector(w),
      headers: { connection: "upgrade", upgrade: "echo" },
    });
    sent.end();
    const [, socket] = (await w.until(once(sent, "upgrade"))) as [unknown, NodeJS.ReadWriteStream];
    socket.write("hello");
    expect(String((await w.until(once(socket, "data")))[0])).toBe("hello");
    socket.end();
  });
});
