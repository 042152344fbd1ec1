import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NetError } from "../../core/errors.ts";
import type { Stream } from "../../core/transport.ts";
import { IPPROTO_TCP, TCP_NODELAY } from "../../native/constants.ts";
import { nativeAvailable } from "../../native/libc.ts";
import { Sockets } from "../../native/socket.ts";
import { Recorder } from "../testing/recorder.ts";
import { at, type Pair, World } from "../testing/world.ts";
import type { EpollStream } from "./stream.ts";
import { createEpollTransport, type EpollTransport } from "./transport.ts";

const TRANSPORT = fileURLToPath(new URL("transport.ts", import.meta.url));

describe.runIf(nativeAvailable() === null)("epoll reactor", () => {
  let transport: EpollTransport;
  let world: World;
  let faults: unknown[];

  beforeEach(() => {
    faults = [];
    transport = createEpollTransport({ seed: 1, onFault: (error) => faults.push(error) });
    world = new World(transport, {});
  });
  afterEach(async () => {
    await world.finish();
    expect(faults).toEqual([]);
  });

  it("small pieces written to three streams by turns: one send for each stream", async () => {
    const pairs = [await world.pair(), await world.pair(), await world.pair()];
    const before = transport.stats.sends;
    for (let i = 0; i < 20; i++) {
      for (const { client } of pairs) client.send(`piece ${i};`);
    }
    const expected = Array.from({ length: 20 }, (_, i) => `piece ${i};`).join("");
    await world.until("all", () => pairs.every(({ server }) => server.text === expected));
    expect(transport.stats.sends - before).toBe(3);
  });

  it("a head and a large body written: leave in one call, in order", async () => {
    const { client, server } = await world.pair();
    const before = transport.stats.sends;
    const body = "b".repeat(20_000);
    client.send("head;");
    client.send(body);
    expect(transport.stats.sends - before).toBe(1);
    await world.until("all", () => server.length === 20_005);
    expect(server.text).toBe(`head;${body}`);
    expect(transport.stats.sends - before).toBe(1);
  });

  it("more gathered in a turn than the arena holds: every stream gets its own bytes", async () => {
    const pairs: Pair[] = [];
    for (let i = 0; i < 30; i++) pairs.push(await world.pair());
    for (let round = 0; round < 8; round++) {
      pairs.forEach(({ client }, i) => {
        client.send(String.fromCharCode(65 + i).repeat(1_900));
      });
    }
    await world.until("all", () => pairs.every(({ server }) => server.length === 15_200));
    pairs.forEach(({ server }, i) => {
      expect(server.text).toBe(String.fromCharCode(65 + i).repeat(15_200));
    });
  });

  it("a stream aborted in a batch and its descriptor given out again: its event is dropped", async () => {
    const pairs = [await world.pair(), await world.pair()];
    const refused = await world.listen("127.0.0.1:0", []);
    const { address } = refused;
    refused.close();
    const successor = new Recorder("successor");
    let reused = -1;
    const abortOther = (other: Stream): void => {
      if (reused !== -1) return;
      reused = (other as EpollStream).fd;
      other.abort();
      successor.stream = transport.connect(address, {}, successor);
      expect((successor.stream as EpollStream).fd).toBe(reused);
    };
    pairs[0]!.server.whenData = () => abortOther(pairs[1]!.server.stream);
    pairs[1]!.server.whenData = () => abortOther(pairs[0]!.server.stream);
    // Both are sent at the end of one turn, so the next one has both events in its batch.
    for (const { client } of pairs) client.send("x");
    await world.until("close", () => successor.closed);
    expect(successor.events).toEqual(["close"]);
    expect(successor.closes[0]?.code).toBe("ECONNREFUSED");
    expect(pairs.filter(({ server }) => server.text === "x")).toHaveLength(1);
  });

  it("much more than a turn's share to read on one stream: another one is served in between", async () => {
    const greedy = await world.pair();
    const modest = await world.pair();
    const order: string[] = [];
    greedy.server.pause();
    const block = Buffer.alloc(4_000_000);
    greedy.client.act((stream) => stream.write(block, 0, block.length));
    await world.quiet();
    greedy.server.whenData = () => {
      order.push("greedy");
      if (order.length === 1) modest.client.send("x");
    };
    modest.server.whenData = () => order.push("modest");
    greedy.server.resume();
    await world.until(
      "all",
      () => greedy.server.length === block.length && order.includes("modest"),
    );
    expect(order.indexOf("modest")).toBeLessThan(order.length - 1);
  });

  it("accepted: TCP_NODELAY is inherited from the listener", async () => {
    const { client, server } = await world.pair();
    const sockets = new Sockets();
    for (const { stream } of [client, server]) {
      const { fd } = stream as EpollStream;
      expect(sockets.option(fd, IPPROTO_TCP, TCP_NODELAY)).toBe(1);
    }
  });

  it("an answer, then a reset, while we write: the answer is delivered before the error", async () => {
    const { client, server } = await world.pair();
    server.whenData = () => {
      server.whenData = () => {};
      server.stream.pause();
      const answer = Buffer.from("413 early");
      server.stream.write(answer, 0, answer.length);
      // Bytes that nobody reads make the kernel answer a close with a reset.
      server.stream.close();
    };
    const block = Buffer.alloc(300_000);
    client.act((stream) => stream.write(block, 0, block.length));
    await world.until("close", () => client.closed);
    expect(client.text).toBe("413 early");
    expect(["ECONNRESET", "EPIPE"]).toContain((client.closes[0] as NetError).code);
  });

  it("connections complete but not accepted, the listener closed: they are accepted and served", async () => {
    const served: Recorder[] = [];
    const listener = await transport.listen(at("127.0.0.1:0"), {}, (stream) => {
      const recorder = new Recorder("served");
      recorder.stream = stream;
      served.push(recorder);
      return recorder;
    });
    const { address } = listener;
    if (address.kind !== "ip") throw new Error("not IP");
    // Blocking in this thread: no turn of the reactor runs between their handshake and the close.
    const script = `exec 3<>/dev/tcp/127.0.0.1/${address.port} 4<>/dev/tcp/127.0.0.1/${address.port}; printf hello >&3; printf hello >&4`;
    execFileSync("bash", ["-c", script]);
    listener.close();
    expect(served.length).toBe(2);
    await world.until("both", () => served.every(({ text }) => text === "hello"));
  });

  it("written from a microtask of a handler: sent without other work of the loop", async () => {
    const { client, server } = await world.pair();
    server.whenData = () => {
      void Promise.resolve().then(() => server.send("late"));
    };
    client.send("x");
    await world.until("answer", () => client.text === "late");
  });

  it("the transport closed, then connect: ends with ABORTED, after it returned", async () => {
    transport.close();
    const client = new Recorder("client");
    world.connect(at("127.0.0.1:9"), client);
    await world.until("close", () => client.closed);
    expect(client.closes[0]?.code).toBe("ABORTED");
    await expect(transport.listen(at("127.0.0.1:0"), {}, () => null)).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});

describe.runIf(nativeAvailable() === null)("epoll transport in a process", () => {
  it("listener and streams closed: the process ends by itself", async () => {
    const lines = await run(`
      const listener = await transport.listen(loopback(0), {}, (stream) => handler({
        onData() { stream.end(); }, onEnd() { stream.end(); },
      }));
      const client = transport.connect(listener.address, {}, handler({
        onConnect() { client.write(Buffer.from("x"), 0, 1); },
        onEnd() { client.end(); },
        onClose(error) { print({ error }); listener.close(); },
      }));
    `);
    expect(lines).toEqual([{ error: null }]);
  });

  it("descriptors run out: said once, no spinning, and accepted when there are some again", async () => {
    const lines = await run(
      `
      const { openSync, closeSync } = await import("node:fs");
      const listener = await transport.listen(loopback(0), {}, (stream) => handler({
        onData() { print({ faults, spun: turns > 2_000 }); transport.close(); },
      }));
      const taken = [];
      for (;;) { try { taken.push(openSync("/dev/null")); } catch { break; } }
      closeSync(taken.pop());
      let turns = 0;
      const client = transport.connect(listener.address, {}, handler({
        onConnect() {
          client.write(Buffer.from("x"), 0, 1);
          setTimeout(() => {
            turns = transport.stats.turns;
            for (const fd of taken) closeSync(fd);
          }, 450);
        },
      }));
      `,
      64,
    );
    expect(lines).toEqual([{ faults: ["EMFILE"], spun: false }]);
  });

  it("a worker with open streams, terminated: the process lives on", async () => {
    const source = `
      const { parentPort, workerData } = require("node:worker_threads");
      import(workerData).then(async ({ createEpollTransport }) => {
        const transport = createEpollTransport({ onFault() {} });
        const nothing = () => {};
        const handler = { onConnect: nothing, onData: nothing, onWritable: nothing, onEnd: nothing, onClose: nothing };
        const address = { kind: "ip", ip: "127.0.0.1", port: 0 };
        const listener = await transport.listen(address, {}, () => handler);
        transport.connect(listener.address, {}, { ...handler, onConnect() { parentPort.postMessage("up"); } });
      });
    `;
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(source, { eval: true, workerData: TRANSPORT });
      await once(worker, "message");
      expect(await worker.terminate()).toBe(1);
    }
  });

  it.each([
    ["busy for ever", "for (;;);", undefined],
    ["out of memory", "const kept = []; for (;;) kept.push(new Array(1e5).fill({}));", 60],
    ["with an exception that nobody catches", "throw new Error('fault');", undefined],
  ])("a worker %s, ended by force: the process lives on", async (_how, fate, megabytes) => {
    // In a process of its own: what goes wrong here is a signal that ends it.
    const source = `
      const { Worker } = require("node:worker_threads");
      const worker = new Worker(\`
        const { parentPort, workerData } = require("node:worker_threads");
        import(workerData).then(async ({ createEpollTransport }) => {
          const transport = createEpollTransport({ onFault() {} });
          await transport.listen({ kind: "ip", ip: "127.0.0.1", port: 0 }, {}, () => null);
          parentPort.postMessage("up");
          setTimeout(() => { ${fate} }, 1);
        });
      \`, {
        eval: true,
        workerData: process.argv[1],
        resourceLimits: ${JSON.stringify(megabytes === undefined ? {} : { maxOldGenerationSizeMb: megabytes })},
      });
      worker.on("error", () => {});
      worker.once("message", () => { if (${megabytes === undefined}) setTimeout(() => worker.terminate(), 200); });
      worker.on("exit", () => setTimeout(() => console.log("alive"), 50));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", source, TRANSPORT]);
    expect(stdout).toBe("alive\n");
  });
});

/** Runs a script with a transport in a Node of its own; gives what it printed. */
async function run(script: string, descriptors = 256): Promise<unknown[]> {
  const prelude = `
    const { createEpollTransport } = await import(process.argv[1]);
    const faults = [];
    const transport = createEpollTransport({ onFault(error) { faults.push(error.code ?? error.message); } });
    const print = (value) => console.log(JSON.stringify(value));
    const loopback = (port) => ({ kind: "ip", ip: "127.0.0.1", port });
    const nothing = () => {};
    const handler = (own) => ({
      onConnect: nothing, onData: nothing, onWritable: nothing, onEnd: nothing, onClose: nothing, ...own,
    });
  `;
  const limit = `ulimit -n ${descriptors}; exec "$@"`;
  const node = [process.execPath, "--input-type=module", "-e", prelude + script, TRANSPORT];
  const { stdout } = await promisify(execFile)("/bin/sh", ["-c", limit, "sh", ...node], {
    timeout: 20_000,
  });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
