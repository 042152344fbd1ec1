import { expect, it } from "vitest";
import { isLoopback } from "../../../core/address.ts";
import { millis } from "../../../core/time.ts";
import type { Scene } from "../transport-suite.ts";
import { at } from "../world.ts";

export function connectingCases(scene: Scene): void {
  it("nobody listens: closes once with ECONNREFUSED, after connect returned", async () => {
    const { world } = scene;
    const { listener } = await world.pair();
    listener.close();
    const client = world.recorder("client");
    world.connect(listener.address, client);
    await world.until("close", () => client.closed);
    await world.quiet();
    expect(client.events).toEqual(["close"]);
    expect(client.closes[0]).toMatchObject({ name: "NetError", code: "ECONNREFUSED" });
    expect(client.stream.closed).toBe(true);
  });

  it("no answer within the timeout: closes once with CONNECT_TIMEOUT", async () => {
    const { world } = scene;
    const hole = await world.unanswered();
    try {
      const client = world.recorder("client");
      const start = world.transport.now();
      world.connect(hole.address, client, { timeout: millis(60) });
      await world.until("close", () => client.closed);
      expect(client.events).toEqual(["close"]);
      expect(client.closes[0]).toMatchObject({ name: "NetError", code: "CONNECT_TIMEOUT" });
      expect(world.transport.now() - start).toBeGreaterThanOrEqual(millis(60));
      await world.quiet();
    } finally {
      await hole.release();
    }
  });

  it("connected in time: the timeout does not strike later", async () => {
    const { world } = scene;
    const server = world.recorder("server");
    const client = world.recorder("client");
    const listener = await world.listen("127.0.0.1:0", [server]);
    world.connect(listener.address, client, { timeout: millis(20) });
    await world.until("connected", () => client.connected);
    const since = world.transport.now();
    await world.until("timeout past", () => world.transport.now() - since > millis(60));
    client.send("alive");
    await world.until("bytes", () => server.text === "alive");
  });

  it("connecting: what is written waits, and arrives after onConnect", async () => {
    const { world } = scene;
    const server = world.recorder("server");
    const client = world.recorder("client");
    const listener = await world.listen("127.0.0.1:0", [server]);
    world.connect(listener.address, client);
    client.send("one ");
    client.send("two");
    expect(client.stream.queued).toBe(7);
    await world.until("bytes", () => server.text === "one two");
    expect(client.events[0]).toBe("connect");
    expect(client.stream.queued).toBe(0);
  });

  it("connecting, written and ended: the peer gets the bytes and the end", async () => {
    const { world } = scene;
    const server = world.recorder("server");
    const client = world.recorder("client");
    const listener = await world.listen("127.0.0.1:0", [server]);
    world.connect(listener.address, client);
    client.send("bye");
    client.act((stream) => stream.end());
    await world.until("end", () => server.ended);
    expect(server.text).toBe("bye");
    expect(client.closed).toBe(false);
  });

  it("connecting, aborted: closes without error, and never connects", async () => {
    const { world } = scene;
    const listener = await world.listen("127.0.0.1:0", []);
    const client = world.recorder("client");
    world.connect(listener.address, client);
    client.act((stream) => stream.abort());
    await world.until("close", () => client.closed);
    await world.quiet();
    expect(client.events).toEqual(["close"]);
    expect(client.closes).toEqual([null]);
  });

  it("onConnect aborts: closes without error", async () => {
    const { world } = scene;
    const server = world.recorder("server");
    const client = world.recorder("client");
    client.whenConnected = () => client.stream.abort();
    const listener = await world.listen("127.0.0.1:0", [server]);
    world.connect(listener.address, client);
    await world.until("close", () => client.closed);
    await world.quiet();
    expect(client.events).toEqual(["connect", "close"]);
    expect(client.closes).toEqual([null]);
  });

  it("onConnect pauses: what the server says at once waits for resume", async () => {
    const { world } = scene;
    const server = world.recorder("server");
    const client = world.recorder("client");
    const listener = await world.transport.listen(at("127.0.0.1:0"), {}, (stream) => {
      server.stream = stream;
      stream.write(Buffer.from("hello"), 0, 5);
      return server;
    });
    client.whenConnected = () => client.stream.pause();
    world.connect(listener.address, client);
    await world.until("connected", () => client.connected);
    await world.quiet();
    expect(client.events).toEqual(["connect"]);
    client.resume();
    await world.until("bytes", () => client.text === "hello");
  });

  it("localAddress: the connection comes from there", async () => {
    const { world } = scene;
    const server = world.recorder("server");
    const client = world.recorder("client");
    const listener = await world.listen("127.0.0.1:0", [server]);
    const local = at("127.0.0.1:0");
    if (local.kind !== "ip") throw new Error("unreachable");
    world.connect(listener.address, client, { localAddress: local.ip });
    client.send("x");
    await world.until("byte", () => server.length === 1);
    expect(server.stream.remote).toMatchObject({ ip: "127.0.0.1" });
  });

  it("connecting to oneself from a callback works", async () => {
    const { world } = scene;
    const second = world.recorder("second server");
    const { client, server, listener } = await world.pair();
    const other = await world.listen("127.0.0.1:0", [second]);
    const nested = world.recorder("nested client");
    server.whenData = () => {
      world.connect(other.address, nested);
      nested.send("from a callback");
    };
    client.send("go");
    await world.until("bytes", () => second.text === "from a callback");
    listener.close();
  });

  it("resolve: localhost is a loopback address, a name that cannot be is ENOTFOUND", async () => {
    const { transport } = scene.world;
    const found = await transport.resolve("localhost");
    expect(found.length).toBeGreaterThan(0);
    for (const ip of found) expect(isLoopback(ip)).toBe(true);
    const error = await transport
      .resolve(`${"x".repeat(70)}.invalid`)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "NetError", code: "ENOTFOUND" });
  });
}
