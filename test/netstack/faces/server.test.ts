import { describe, expect, test } from "vitest";
import { after, seconds } from "../../../src/core/time.ts";
import type { StackSocket } from "../../../src/netstack/node/public.ts";
import { CLIENT, NOBODY, once, SERVER, world } from "./world.ts";

describe("listening", () => {
  test("a port is chosen where none is given, and may be had again after close", async () => {
    const w = world();
    const server = w.server.createServer().listen();
    const { port } = server.address()!;
    expect(port).toBeGreaterThan(1_023);
    await once(server, "listening");
    const closed = once(server, "close");
    server.close();
    await closed;
    expect(server.address()).toBeNull();
    server.listen(port, SERVER);
    await once(server, "listening");
    expect(server.address()).toEqual({ address: SERVER, family: "IPv4", port });
  });

  test("an address in use is an error that says so", async () => {
    const w = world();
    w.server.createServer().listen(80, "0.0.0.0");
    const second = w.server.createServer();
    const failed = once(second, "error");
    second.listen({ port: 80, host: SERVER });
    const [error] = await failed;
    expect(error).toMatchObject({
      message: `listen EADDRINUSE: address already in use ${SERVER}:80`,
      code: "EADDRINUSE",
      errno: -98,
      syscall: "listen",
      address: SERVER,
      port: 80,
    });
    expect(second.listening).toBe(false);
  });

  test("an address of somebody else is refused", async () => {
    const w = world();
    const server = w.server.createServer();
    const failed = once(server, "error");
    server.listen(80, NOBODY);
    expect(await failed).toMatchObject([{ code: "EADDRNOTAVAIL", syscall: "listen" }]);
  });

  test("a name is looked up; an unknown one is an error", async () => {
    const w = world();
    const named = w.server.createServer().listen(80, "four.test");
    await once(named, "listening");
    expect(named.address()).toMatchObject({ address: SERVER });
    const lost = w.server.createServer().listen(81, "nowhere.test");
    expect(await once(lost, "error").catch((error) => [error])).toMatchObject([
      { code: "ENOTFOUND", hostname: "nowhere.test", syscall: "getaddrinfo" },
    ]);
  });

  test("wrong calls throw Node's errors", () => {
    const w = world();
    const server = w.server.createServer().listen(80);
    expect(() => server.listen(81)).toThrow(
      expect.objectContaining({ code: "ERR_SERVER_ALREADY_LISTEN" }),
    );
    const other = w.server.createServer();
    expect(() => other.listen(70_000)).toThrow(
      expect.objectContaining({ code: "ERR_SOCKET_BAD_PORT" }),
    );
    expect(() => other.listen("/run/x.sock" as never)).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }),
    );
  });

  test("a signal that is aborted closes the server", async () => {
    const w = world();
    const controller = new AbortController();
    const server = w.server.createServer().listen({ port: 80, signal: controller.signal });
    await once(server, "listening");
    const closed = once(server, "close");
    controller.abort();
    await closed;
    expect(server.listening).toBe(false);
  });
});

describe("connections", () => {
  test("close waits for those that are there, takes no more, and tells its callback", async () => {
    const w = world();
    const server = w.server.createServer((socket) => socket.resume());
    server.listen(80);
    const client = w.client.connect(80, SERVER);
    await w.until(once(server, "connection"));
    let closed = false;
    server.close((error) => {
      closed = error === undefined;
    });
    const late = w.client.connect(80, SERVER);
    expect(await w.until(once(late, "error"))).toMatchObject([{ code: "ECONNREFUSED" }]);
    expect(closed).toBe(false);
    client.resume().end();
    await w.network.settle(() => closed);
    expect(closed).toBe(true);
    server.close((error) => {
      closed = false;
      expect(error).toMatchObject({ code: "ERR_SERVER_NOT_RUNNING" });
    });
    await w.network.settle(() => !closed);
    expect(closed).toBe(false);
  });

  test("beyond maxConnections the new one is closed and drop says whose it was", async () => {
    const w = world();
    const server = w.server.createServer((socket) => socket.resume());
    server.maxConnections = 1;
    server.listen(80);
    w.client.connect(80, SERVER);
    await w.until(once(server, "connection"));
    const dropped = once(server, "drop");
    const second = w.client.connect(80, SERVER);
    second.resume();
    expect(await w.until(dropped)).toMatchObject([
      { remoteAddress: CLIENT, remotePort: second.localPort, localAddress: SERVER, localPort: 80 },
    ]);
    await w.until(once(second, "close"));
    const counted = new Promise((resolve) =>
      server.getConnections((_error, count) => resolve(count)),
    );
    expect(await counted).toBe(1);
  });

  test("with pauseOnConnect nothing is read until resume", async () => {
    const w = world();
    const server = w.server.createServer({ pauseOnConnect: true }).listen(80);
    const accepted = once(server, "connection") as Promise<readonly [StackSocket]>;
    w.client.connect(80, SERVER).write("hello");
    const [socket] = await w.until(accepted);
    const seen: string[] = [];
    socket.on("data", (data: Buffer) => void seen.push(String(data)));
    await w.network.settle(after(w.network.now, seconds(2)));
    expect(seen).toEqual([]);
    expect(socket.bytesRead).toBe(0);
    socket.resume();
    await w.network.settle(() => seen.length > 0);
    expect(seen).toEqual(["hello"]);
  });

  test("a listener throws: its connection is reset, the fault is told, the server lives on", async () => {
    const w = world();
    let bugs = 1;
    const server = w.server.createServer(() => {
      if (bugs-- > 0) throw new Error("a bug of the user");
    });
    server.listen(80);
    const client = w.client.connect(80, SERVER);
    expect(await w.until(once(client, "error"))).toMatchObject([{ code: "ECONNRESET" }]);
    expect(w.faults).toMatchObject([{ message: "a bug of the user" }]);
    const next = w.client.connect(80, SERVER);
    await w.until(once(next, "connect"));
  });
});
