import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { millis } from "../../../src/core/time.ts";
import { SERVER, type World, world } from "./world.ts";

/** A `ws` server on the server's stack, and a client of it on the client's. */
function dial(w: World, onSocket: (socket: WebSocket) => void) {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  server.on("connection", onSocket);
  const face = w.server.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    http.emit("connection", socket);
  });
  face.listen(80);
  const createConnection = (options: object) => w.client.connect(options as { port: number });
  // The types of `ws` want a net.Socket where any Duplex does.
  const options = {
    createConnection,
    perMessageDeflate: false,
  } as unknown as WebSocket.ClientOptions;
  return new WebSocket(`ws://${SERVER}/`, options);
}

const event = (socket: WebSocket, name: string): Promise<unknown[]> =>
  new Promise((resolve, reject) => {
    socket.once(name, (...args: unknown[]) => resolve(args));
    socket.once("error", reject);
  });

describe("ws", () => {
  test("messages of a megabyte go both ways, in order, whole", async () => {
    const w = world({ latency: millis(5), bandwidth: 12_500_000, queueBytes: 200_000 });
    const client = dial(w, (socket) => {
      socket.on("message", (data, binary) => socket.send(data, { binary }));
    });
    await w.until(event(client, "open"));
    const got: unknown[] = [];
    client.on("message", (data: Buffer, binary: boolean) => {
      got.push(binary ? data : data.toString());
    });
    const large = Buffer.alloc(1 << 20, "0123456789");
    client.send("first");
    client.send(large);
    client.send("ümlaut");
    client.send(large.subarray(0, 500_000));
    await w.network.settle(() => got.length === 4);
    expect(got[0]).toBe("first");
    expect(large.equals(got[1] as Buffer)).toBe(true);
    expect(got[2]).toBe("ümlaut");
    expect(got[3]).toHaveLength(500_000);
    client.terminate();
  });

  test("a ping is answered after one round trip", async () => {
    const w = world({ latency: millis(25) });
    const client = dial(w, () => {});
    await w.until(event(client, "open"));
    const started = w.network.now;
    client.ping("are you there?");
    const [payload] = await w.until(event(client, "pong"));
    expect(String(payload)).toBe("are you there?");
    expect((w.network.now - started) / 1_000).toBeCloseTo(50, -1);
    client.terminate();
  });

  test("closed with a code, both ends are told and the connection ends", async () => {
    const w = world();
    let told: Promise<unknown[]> | null = null;
    const client = dial(w, (socket) => {
      told = event(socket, "close");
    });
    await w.until(event(client, "open"));
    const closed = event(client, "close");
    client.close(4_001, "enough");
    const [code] = await w.until(closed);
    expect(code).toBe(4_001);
    const [served, reason] = await w.until(told!);
    expect([served, String(reason)]).toEqual([4_001, "enough"]);
  });

  test("the client's host resets: the server hears of 1006", async () => {
    const w = world();
    const opened: WebSocket[] = [];
    const client = dial(w, (socket) => void opened.push(socket));
    await w.until(event(client, "open"));
    const closed = new Promise((resolve) => opened[0]!.once("close", resolve));
    opened[0]!.on("error", () => {});
    client.on("error", () => {});
    w.stacks.client.close();
    expect(await w.until(closed)).toBe(1_006);
  });
});
