import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { millis, seconds } from "../../../src/core/time.ts";
import { rawFrame } from "../../../src/http/websocket/testing/frames.ts";
import { RawOrigin } from "../../support/raw-origin.ts";
import { drivers, eventually, startProxy } from "../support.ts";
import { EchoOrigin } from "./origin.ts";

const UPGRADE =
  "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const SWITCHED =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n" +
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const AWAY = Buffer.from([3, 233]);
const KEY = Buffer.from([1, 2, 3, 4]);
const closeFrame = rawFrame({ opcode: 8, payload: AWAY }).toString("latin1");
const closeFrameOfClient = rawFrame({ opcode: 8, payload: AWAY, key: KEY });

/** An origin that switches, and then only listens. */
const silent = (): Promise<RawOrigin> =>
  RawOrigin.start((c, chunk) => {
    if (chunk.toString().startsWith("GET ")) c.socket.write(SWITCHED);
  });

/** What the origin received behind the request. */
const behindHead = (received: string): Buffer =>
  Buffer.from(received.slice(received.indexOf("\r\n\r\n") + 4), "latin1");

/** The code of a masked Close frame at the end, -1 for none. */
function maskedClose(bytes: Buffer): number {
  const frame = bytes.subarray(-8);
  if (frame.length < 8 || frame[0] !== 0x88 || frame[1] !== 0x82) return -1;
  return ((frame[6]! ^ frame[2]!) << 8) | (frame[7]! ^ frame[3]!);
}

describe.each(drivers)("leaving websockets (%s)", (driver) => {
  test("draining: both sides get 1001, answer it, and the drain is over long before its time", async () => {
    await using origin = await EchoOrigin.start();
    await using proxy = await startProxy({ driver, to: [origin.port] });
    const sockets = [1, 2, 3].map(() => new WebSocket(`ws://127.0.0.1:${proxy.port}/`));
    const codes: number[] = [];
    for (const socket of sockets) socket.on("close", (code) => codes.push(code));
    await Promise.all(sockets.map((socket) => once(socket, "open")));
    sockets[0]!.send("hello");
    await once(sockets[0]!, "message");
    expect(proxy.recorder.tunnels.websocket).toBe(3);
    await proxy.server.drain(seconds(20));
    await eventually("all are closed", () => codes.length === 3 && origin.closes.length === 3);
    expect([codes, origin.closes]).toEqual([
      [1001, 1001, 1001],
      [1001, 1001, 1001],
    ]);
    expect(proxy.recorder.last.error).toBe(null);
    expect(proxy.recorder.tunnels.websocket).toBe(0);
  });

  test("draining within a frame: the goodbye waits for its end, and goes behind it", async () => {
    await using origin = await silent();
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(UPGRADE);
    await client.until((text) => text.includes("\r\n\r\n"));
    const frame = rawFrame({ opcode: 2, payload: Buffer.alloc(300, "x"), key: KEY });
    await client.send(frame.subarray(0, 200));
    const connection = origin.connections[0]!;
    const received = (): Buffer => behindHead(connection.received);
    await eventually("the first part", () => received().length === 200);
    const drained = proxy.server.drain(seconds(20));
    await client.until((text) => text.endsWith(closeFrame));
    expect(received().length).toBe(200);
    // The rest of the frame, and one that comes too late.
    await client.send(Buffer.concat([frame.subarray(200), frame]));
    await eventually("the goodbye", () => received().length === frame.length + 8);
    expect(received().subarray(0, frame.length).equals(frame)).toBe(true);
    expect(maskedClose(received())).toBe(1001);
    await client.send(closeFrameOfClient);
    expect(await client.untilEnd()).toBe("closed");
    connection.socket.end(rawFrame({ opcode: 8, payload: AWAY }));
    await drained;
    expect(connection.ended).not.toBe("reset");
  });

  test("draining, one side never answers: it is cut when the drain's time is over", async () => {
    await using origin = await silent();
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(UPGRADE);
    await client.until((text) => text.includes("\r\n\r\n"));
    const drained = proxy.server.drain(millis(150));
    await client.until((text) => text.endsWith(closeFrame));
    await client.send(closeFrameOfClient);
    await client.untilEnd();
    await drained;
    await eventually("the origin is cut", () => origin.connections[0]!.ended !== "open");
    expect(maskedClose(behindHead(origin.connections[0]!.received))).toBe(1001);
  });

  test("draining, the client has said its goodbye before: no second one is sent", async () => {
    await using origin = await silent();
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(UPGRADE);
    await client.until((text) => text.includes("\r\n\r\n"));
    await client.send(closeFrameOfClient);
    const connection = origin.connections[0]!;
    await eventually("its goodbye", () => behindHead(connection.received).length === 8);
    const drained = proxy.server.drain(seconds(20));
    await client.until((text) => text.endsWith(closeFrame));
    connection.socket.end(rawFrame({ opcode: 8, payload: AWAY }));
    await drained;
    expect(behindHead(connection.received).length).toBe(8);
    expect(client.answer().text.split(closeFrame).length).toBe(2);
  });

  test("a switch while draining: is a goodbye at once", async () => {
    await using origin = await RawOrigin.start(() => {});
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(UPGRADE);
    await eventually("the request", () => origin.connections.length === 1);
    const drained = proxy.server.drain(seconds(20));
    origin.connections[0]!.socket.write(SWITCHED);
    await client.until((text) => text.endsWith(closeFrame));
    client.reset();
    await drained;
  });

  test("draining with a tunnel of another protocol: says nothing, and waits its time", async () => {
    await using origin = await RawOrigin.start((c) => {
      c.socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
      );
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    await client.until((text) => text.includes("\r\n\r\n"));
    expect(proxy.recorder.tunnels.upgrade).toBe(1);
    const before = client.answer().text;
    await proxy.server.drain(millis(60));
    await client.untilEnd();
    expect(client.answer().text).toBe(before);
  });

  test("idle for the tunnel's timeout: both sides get 1001", async () => {
    await using origin = await EchoOrigin.start();
    const listener = { timeouts: { tunnel: millis(80) } };
    await using proxy = await startProxy({ driver, to: [origin.port], listener });
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
    const [code, reason] = (await once(socket, "close")) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([1001, "idle"]);
    await eventually("it is over", () => proxy.recorder.requests.length === 1);
    await eventually("the origin heard it", () => origin.closes.length === 1);
    expect(origin.closes).toEqual([1001]);
    expect(proxy.recorder.last.error).toBe("BETWEEN_BYTES_TIMEOUT");
  });

  test("a connection that is no websocket after all: passes as bytes, and is cut", async () => {
    await using origin = await silent();
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(UPGRADE);
    await client.until((text) => text.includes("\r\n\r\n"));
    const nonsense = Buffer.alloc(5000, 0xff);
    await client.send(nonsense);
    const connection = origin.connections[0]!;
    await eventually("all", () => behindHead(connection.received).equals(nonsense));
    await proxy.server.drain(millis(60));
    expect(behindHead(connection.received).equals(nonsense)).toBe(true);
    await client.untilEnd();
  });
});
