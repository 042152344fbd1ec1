import { createServer } from "node:http";
import type { Socket } from "node:net";
import { Agent, Client, type Dispatcher } from "undici";
import { afterEach, describe, expect, test } from "vitest";
import { millis } from "../../../src/core/time.ts";
import { SERVER, type World, world } from "./world.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function serve(w: World) {
  const server = createServer((req, res) => {
    if (req.method === "POST") req.pipe(res);
    else res.end(`${req.headers.host}${req.url}`);
  });
  let connections = 0;
  const face = w.server.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    connections++;
    server.emit("connection", socket);
  });
  face.listen(80);
  closing.push(async () => server.closeAllConnections());
  return { connections: () => connections };
}

/** An undici connector: told of the socket once it is connected. */
const connector =
  (w: World) =>
  (
    { hostname, port }: { hostname: string; port: string },
    callback: (...result: [Error, null] | [null, Socket]) => void,
  ): void => {
    const socket = w.client.connect({ host: hostname, port: port || 80, noDelay: true });
    const failed = (error: Error) => callback(error, null);
    socket.once("error", failed);
    socket.once("connect", () => {
      socket.off("error", failed);
      callback(null, socket as unknown as Socket);
    });
  };

async function ask(w: World, dispatcher: Dispatcher, options: Dispatcher.RequestOptions) {
  const { statusCode, body } = await w.until(dispatcher.request(options));
  return { statusCode, body: Buffer.from(await w.until(body.arrayBuffer())) };
}

describe("undici", () => {
  test("a client with our connector pipelines requests on one connection", async () => {
    const w = world({ latency: millis(5) });
    const served = serve(w);
    const client = new Client(`http://${SERVER}`, { connect: connector(w), pipelining: 4 });
    closing.push(() => client.destroy());
    const answers = await Promise.all(
      [1, 2, 3, 4].map((n) => ask(w, client, { method: "GET", path: `/${n}` })),
    );
    expect(answers.map(({ body }) => String(body))).toEqual(
      [1, 2, 3, 4].map((n) => `${SERVER}/${n}`),
    );
    expect(served.connections()).toBe(1);
  });

  test("an agent uploads a megabyte to a host by its name, and gets it back", async () => {
    const w = world({ latency: millis(5), bandwidth: 12_500_000 });
    serve(w);
    const agent = new Agent({ connect: connector(w) });
    closing.push(() => agent.destroy());
    const sent = Buffer.alloc(1 << 20, "undici ");
    const { statusCode, body } = await ask(w, agent, {
      origin: "http://server.test",
      method: "POST",
      path: "/",
      body: sent,
    });
    expect(statusCode).toBe(200);
    expect(body.equals(sent)).toBe(true);
  });

  test("nobody listens: the request is rejected with ECONNREFUSED", async () => {
    const w = world();
    const client = new Client(`http://${SERVER}:81`, { connect: connector(w) });
    closing.push(() => client.destroy());
    await expect(w.until(client.request({ method: "GET", path: "/" }))).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
  });
});
