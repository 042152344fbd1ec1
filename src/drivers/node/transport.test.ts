import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Recorder } from "../testing/recorder.ts";
import { transportSuite } from "../testing/transport-suite.ts";
import { at, World } from "../testing/world.ts";
import { createNodeTransport } from "./transport.ts";

transportSuite("node", async () => createNodeTransport({ seed: 1, onFault() {} }));

describe("node transport", () => {
  let world: World;
  let folder: string;
  const faults: unknown[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-"));
    faults.length = 0;
    world = new World(createNodeTransport({ onFault: (error) => faults.push(error) }), {});
  });
  afterEach(async () => {
    await world.finish();
    rmSync(folder, { recursive: true, force: true });
  });

  it("what handlers, acceptors and timers throw: goes to onFault", async () => {
    const { client, server } = await world.pair();
    const failure = (what: string) => (): never => {
      throw new Error(what);
    };
    server.whenData = failure("data");
    client.send("x");
    await world.until("first", () => faults.length === 1);
    const listener = await world.transport.listen(at("127.0.0.1:0"), {}, failure("acceptor"));
    world.connect(listener.address, world.recorder("refused"));
    await world.until("second", () => faults.length === 2);
    world.transport.schedule({ onTimer: failure("timer") }, world.transport.now());
    await world.until("third", () => faults.length === 3);
    expect(faults.map(String)).toEqual(["Error: data", "Error: acceptor", "Error: timer"]);
  });

  it("a Unix socket that its process left behind: is replaced", async () => {
    const path = join(folder, "stale.sock");
    const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    await once(spawn(process.execPath, ["-e", script]), "exit");
    expect(statSync(path).isSocket()).toBe(true);
    const { client, server } = await world.pair(`unix:${path}`);
    client.send("hello");
    await world.until("bytes", () => server.text === "hello");
  });

  it("a Unix socket's mode is as asked", async () => {
    const path = join(folder, "mode.sock");
    await world.listen(`unix:${path}`, [], { mode: 0o600 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("a paused listener with a full backlog: resets those that come", async () => {
    const listener = await world.listen("127.0.0.1:0", [], { backlog: 2 });
    listener.pause();
    const clients = [1, 2, 3].map((n) => world.recorder(`client ${n}`));
    for (const client of clients) {
      world.connect(listener.address, client);
      await world.until("connected", () => client.connected || client.closed);
    }
    await world.until("reset", () => clients[2]!.closed);
    expect(clients[2]!.closes[0]?.code).toBe("ECONNRESET");
    expect(clients.map((client) => client.closed)).toEqual([false, false, true]);
    listener.close();
    await world.until("all reset", () => clients.every((client) => client.closed));
  });

  it("paused: no more is read from the socket than a few buffers", async () => {
    const server = new Recorder("server");
    const listener = await world.listen("127.0.0.1:0", [server]);
    const port = listener.address.kind === "ip" ? listener.address.port : 0;
    server.whenData = () => server.stream.pause();
    const raw: Socket = connect(port, "127.0.0.1");
    raw.on("error", () => {});
    const piece = Buffer.alloc(64 * 1024);
    for (let i = 0; i < 512; i++) raw.write(piece);
    await world.until("first bytes", () => server.length > 0);
    await world.quiet();
    // 32 MiB were offered: the kernel's buffers are full, and so the rest still is here.
    expect(raw.writableLength).toBeGreaterThan(8 * 1024 * 1024);
    expect(server.length).toBeLessThanOrEqual(128 * 1024);
    raw.destroy();
  });

  it("the transport closed, then connect: ends with ABORTED, after it returned", async () => {
    world.transport.close();
    const client = world.recorder("client");
    world.connect(at("127.0.0.1:9"), client);
    await world.until("close", () => client.closed);
    expect(client.closes[0]?.code).toBe("ABORTED");
    await expect(world.transport.listen(at("127.0.0.1:0"), {}, () => null)).rejects.toMatchObject({
      code: "ABORTED",
    });
  });

  it("everything closed: the process ends by itself", async () => {
    const module = JSON.stringify(new URL("./transport.ts", import.meta.url).href);
    const script = `
      import { createNodeTransport } from ${module};
      const t = createNodeTransport();
      const quiet = { onConnect() {}, onData() {}, onWritable() {}, onEnd() {}, onClose() {} };
      const l = await t.listen({ kind: "ip", ip: "127.0.0.1", port: 0 }, {}, () => quiet);
      t.schedule({ onTimer() {} }, t.now() + 3_600_000_000);
      t.connect(l.address, {}, { ...quiet, onConnect() { t.close(); console.log("closed"); } });
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    const [code] = await once(child, "exit");
    expect([code, output]).toEqual([0, "closed\n"]);
  });
});
