import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { millis, seconds } from "../../src/core/time.ts";
import { RawOrigin } from "../support/raw-origin.ts";
import { ok, ScriptedOrigin } from "./origin.ts";
import { aWhile, drivers, eventually, startProxy } from "./support.ts";

const UPGRADE = "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
const SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";

/** An origin that switches protocols and then sends back what it gets. */
const echoing = (): Promise<RawOrigin> =>
  RawOrigin.start((c, chunk) => {
    const text = chunk.toString("latin1");
    if (!text.startsWith("GET ")) return void c.socket.write(chunk);
    c.socket.write(SWITCHED + text.slice(text.indexOf("\r\n\r\n") + 4));
    c.socket.on("end", () => c.socket.end("bye"));
  });

describe.each(drivers)("upgrades (%s)", (driver) => {
  test("a websocket, carries small and large messages both ways and closes", async () => {
    const http = createServer();
    const sockets = new WebSocketServer({ server: http, maxPayload: 64 << 20 });
    sockets.on("connection", (socket) => {
      socket.on("message", (data, binary) => socket.send(data, { binary }));
    });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    try {
      const { port } = http.address() as AddressInfo;
      await using proxy = await startProxy({ driver, to: [port] });
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/x`, { maxPayload: 64 << 20 });
      await once(socket, "open");
      const big = randomBytes(8 << 20);
      for (const message of [Buffer.from("small"), big, Buffer.alloc(0)]) {
        socket.send(message);
        const [data] = (await once(socket, "message")) as [Buffer];
        expect(hash(data)).toBe(hash(message));
      }
      socket.close(1000, "done");
      const [code] = await once(socket, "close");
      expect(code).toBe(1000);
      await eventually("the tunnel is over", () => proxy.server.connections === 0);
      const { status, error, requestBytes, responseBytes } = proxy.recorder.last;
      expect([status, error]).toEqual([101, null]);
      expect(requestBytes).toBeGreaterThan(big.length);
      expect(responseBytes).toBeGreaterThan(big.length);
    } finally {
      sockets.close();
      http.close();
    }
  });

  test("the switch, names the protocol to both sides", async () => {
    await using origin = await echoing();
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(UPGRADE);
    const answer = await client.response();
    expect([answer.status, answer.header("upgrade")]).toEqual([101, "echo"]);
    expect(answer.header("connection")?.toLowerCase()).toBe("upgrade");
    expect(origin.connections[0]!.received.toLowerCase()).toContain("\r\nconnection: upgrade\r\n");
    expect(origin.connections[0]!.received).toContain("\r\nUpgrade: echo\r\n");
  });

  test("early data behind the request, and behind the switch, arrive once and in order", async () => {
    await using origin = await RawOrigin.start((c) => {
      if (c.received.endsWith("later")) c.socket.write("second");
    });
    for (const program of [{}, { responseFilter: () => aWhile(5) }]) {
      await using proxy = await startProxy({ driver, to: [origin.port], program });
      await using client = await proxy.client();
      const { length } = origin.connections;
      await client.send(UPGRADE);
      await eventually("the request is there", () => proxy.origin.active === 1);
      await client.send("early");
      await eventually("its head", () => {
        return origin.connections[length]?.received.includes("\r\n\r\n") === true;
      });
      await aWhile();
      const connection = origin.connections[length]!;
      expect(connection.received.endsWith("\r\n\r\n")).toBe(true);
      connection.socket.write(`${SWITCHED}first`);
      await client.until((text) => text.endsWith("first"));
      await eventually("early data", () => connection.received.endsWith("\r\n\r\nearly"));
      await client.send("later");
      await client.until((text) => text.endsWith("second"));
      expect(client.answer().text.split("first").length).toBe(2);
      client.reset();
    }
  });

  test("early data in the segment of the request, arrive behind it", async () => {
    await using origin = await echoing();
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(`${UPGRADE}early`);
    await client.until((text) => text.endsWith("early"));
  });

  test("the client half-closes, still gets what the origin says, then both close", async () => {
    await using origin = await echoing();
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(UPGRADE);
    await client.response();
    await client.send("hello");
    client.halfClose();
    await client.until((text) => text.endsWith("hellobye"));
    expect(await client.untilEnd()).toBe("closed");
    await eventually("the tunnel is over", () => proxy.server.connections === 0);
  });

  test("the client half-closes before the switch, where such clients are served: it crosses", async () => {
    await using origin = await RawOrigin.start((c) => {
      if (!c.received.endsWith("\r\n\r\n")) return;
      c.socket.on("end", () => c.socket.end("bye"));
      setTimeout(() => c.socket.write(SWITCHED), 30);
    });
    const listener = { halfClose: "serve" } as const;
    await using proxy = await startProxy({ driver, to: [origin.port], listener });
    await using client = await proxy.client();
    await client.send(UPGRADE);
    client.halfClose();
    await client.until((text) => text.endsWith("bye"));
    expect(await client.untilEnd()).toBe("closed");
  });

  test("the origin half-closes, still gets what the client says, then both close", async () => {
    await using origin = await RawOrigin.start((c, chunk) => {
      if (chunk.toString().startsWith("GET ")) c.socket.end(`${SWITCHED}last words`);
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(UPGRADE);
    expect(await client.untilEnd()).toBe("closed");
    expect(client.answer().text.endsWith("last words")).toBe(true);
    await client.send("more");
    await eventually("more", () => origin.connections[0]!.received.endsWith("more"));
    client.halfClose();
    await eventually("the tunnel is over", () => proxy.server.connections === 0);
  });

  test.each(["client", "origin"])("the %s resets, the other side is cut", async (who) => {
    await using origin = await echoing();
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(`${UPGRADE}x`);
    await client.until((text) => text.endsWith("x"));
    if (who === "client") client.reset();
    else origin.connections[0]!.socket.resetAndDestroy();
    await eventually(
      "both are gone",
      () => client.end !== "open" && origin.connections[0]!.ended !== "open",
    );
    await eventually("the tunnel is over", () => proxy.server.connections === 0);
  });

  test("a refused upgrade, is an ordinary answer and the connections stay", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("no"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (let i = 0; i < 2; i++) {
      await client.send(UPGRADE);
      expect((await client.response()).body.toString()).toBe("no");
    }
    expect(origin.connections.length).toBe(1);
  });

  test("a switch that nobody asked for, is a bad gateway and no tunnel", async () => {
    await using origin = await RawOrigin.start((c) => c.socket.write(SWITCHED));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
    expect((await client.response()).status).toBe(502);
    expect((await client.response()).status).toBe(502);
    expect(origin.connections.length).toBe(2);
  });

  test("a switch that the client asked for and the proxy did not pass on, is no tunnel", async () => {
    await using origin = await RawOrigin.start((c) => c.socket.write(SWITCHED));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: "h2c"\r\n\r\n');
    expect((await client.response()).status).toBe(502);
    expect(origin.connections[0]!.received).not.toMatch(/upgrade/i);
  });

  test("a switch in the middle of the request, is a bad gateway and no tunnel", async () => {
    await using origin = await RawOrigin.start((c) => c.socket.write(SWITCHED));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(
      `POST / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\nContent-Length: 9\r\n\r\npart`,
    );
    expect((await client.response()).status).toBe(502);
    await client.untilEnd();
  });

  test("nothing moves in a tunnel for its timeout, both sides are cut", async () => {
    await using origin = await echoing();
    const listener = { timeouts: { tunnel: millis(60) } };
    await using proxy = await startProxy({ driver, to: [origin.port], listener });
    await using client = await proxy.client();
    await client.send(UPGRADE);
    await client.response();
    await client.untilEnd();
    await eventually("the origin is cut", () => origin.connections[0]!.ended !== "open");
    await eventually("it is over", () => proxy.recorder.requests.length === 1);
    expect(proxy.recorder.last.error).toBe("BETWEEN_BYTES_TIMEOUT");
  });

  test("the total time of a request, does not cut its tunnel", async () => {
    await using origin = await echoing();
    const timeouts = { total: millis(60) };
    await using proxy = await startProxy({ driver, to: [origin.port], origin: { timeouts } });
    await using client = await proxy.client();
    await client.send(UPGRADE);
    await client.response();
    await aWhile(150);
    await client.send("still here");
    await client.until((text) => text.endsWith("still here"));
  });

  test("a client that does not read, stops the origin: memory stays bounded", async () => {
    let written = 0;
    const block = Buffer.alloc(256 * 1024, "b");
    await using origin = await RawOrigin.start((c, chunk) => {
      if (!chunk.toString().startsWith("GET ")) return;
      c.socket.write(SWITCHED);
      const more = (): void => {
        if (c.socket.destroyed) return;
        written += block.length;
        if (c.socket.write(block)) setImmediate(more);
        else c.socket.once("drain", more);
      };
      more();
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(UPGRADE);
    await client.response();
    client.pause();
    let before = -1;
    await eventually("the origin stands still", () => {
      const still = written === before;
      before = written;
      return still;
    });
    await aWhile(100);
    expect(written).toBeLessThan(64 << 20);
    client.reset();
  });

  test("connect, not allowed: 405 with what is", async () => {
    await using proxy = await startProxy({ driver, to: [1] });
    await using client = await proxy.client();
    await client.send("CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n");
    const answer = await client.response();
    expect(answer.status).toBe(405);
    expect(answer.header("allow")).toContain("GET");
  });

  test("connect, allowed: a tunnel where the origin agrees, an answer where not", async () => {
    await using origin = await RawOrigin.start((c, chunk) => {
      const text = chunk.toString();
      if (text.startsWith("CONNECT no"))
        c.socket.write("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
      else if (text.startsWith("CONNECT")) c.socket.write("HTTP/1.1 200 OK\r\n\r\n");
      else c.socket.write(chunk);
    });
    const listener = { allowConnect: true, timeouts: { tunnel: seconds(20) } };
    await using proxy = await startProxy({ driver, to: [origin.port], listener });
    await using client = await proxy.client();
    await client.send("CONNECT no:80 HTTP/1.1\r\nHost: no:80\r\n\r\n");
    expect((await client.response()).status).toBe(403);
    await client.send("CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n");
    await client.until((text) => text.includes("200 OK\r\n\r\n"));
    await client.send("through");
    await client.until((text) => text.endsWith("through"));
    expect(origin.connections.at(-1)!.received).toContain("CONNECT h:80 HTTP/1.1\r\n");
    client.reset();
  });
});

const hash = (data: Buffer): string => createHash("sha256").update(data).digest("hex");
