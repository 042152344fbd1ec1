import { describe, expect, test } from "vitest";
import { after, millis, seconds } from "../../../src/core/time.ts";
import type { StackSocket } from "../../../src/netstack/node/public.ts";
import { CLIENT, listen, once, SERVER, world } from "./world.ts";

/** Bytes that say where they are. */
const pattern = (length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >>> 8)) & 0xff;
  return bytes;
};

async function pair(w = world(), serverOptions = {}, clientOptions = {}) {
  const server = w.server.createServer(serverOptions);
  server.listen(80);
  const accepted = once(server, "connection") as Promise<readonly [StackSocket]>;
  const client = w.client.connect({ port: 80, host: SERVER, ...clientOptions });
  await w.until(once(client, "connect"));
  const [served] = await w.until(accepted);
  return { w, server, client, served };
}

/** All that comes up to the end; the socket lives on. */
function collect(socket: StackSocket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
    socket.on("end", () => resolve(Buffer.concat(chunks)));
    socket.on("error", reject);
  });
}

describe("addresses and states", () => {
  test("a socket tells what it is while it connects, when it is open and when it is over", async () => {
    const w = world();
    const server = await listen(w.server, 80, () => {});
    expect(server.address()).toEqual({ address: "::", family: "IPv6", port: 80 });
    const socket = w.client.connect(80, SERVER);
    expect(socket).toMatchObject({ connecting: true, pending: true, readyState: "opening" });
    expect(socket.address()).toEqual({});
    await w.until(once(socket, "ready"));
    expect(socket).toMatchObject({
      connecting: false,
      pending: false,
      readyState: "open",
      remoteAddress: SERVER,
      remotePort: 80,
      remoteFamily: "IPv4",
      localAddress: CLIENT,
      localFamily: "IPv4",
    });
    expect(socket.address()).toMatchObject({ address: CLIENT, port: socket.localPort });
    const closed = once(socket, "close");
    socket.destroy();
    expect(await w.until(closed)).toEqual([false]);
    expect(socket.readyState).toBe("closed");
  });

  test("a name is looked up, and its families are tried in order", async () => {
    const w = world();
    const server = w.server.createServer((socket) => socket.end());
    server.listen(80, "0.0.0.0");
    const socket = w.client.connect({ port: 80, host: "server.test" });
    const found: unknown[] = [];
    socket.on("lookup", (_error, address, family) => found.push([address, family]));
    await w.until(once(socket, "connect"));
    expect(found).toEqual([
      ["2001:db8::2", 6],
      [SERVER, 4],
    ]);
    expect(socket.autoSelectFamilyAttemptedAddresses).toEqual(["[2001:db8::2]:80", `${SERVER}:80`]);
    expect(socket.remoteAddress).toBe(SERVER);
  });
});

describe("how it sends", () => {
  test("the first address of a name never answers: the next is tried after a while", async () => {
    const w = world();
    await w.until(once(w.client.connect(81, "2001:db8::2"), "error"));
    w.server.createServer().listen(80);
    // IPv6 gets lost; ARP and IPv4 go on.
    w.link.forward.filter = ({ view, start }) => view.getUint16(start + 12) !== 0x86dd;
    const options = { port: 80, host: "server.test", autoSelectFamilyAttemptTimeout: 300 };
    const socket = w.client.connect(options);
    const events: unknown[] = [];
    socket.on("connectionAttempt", (address) => events.push(["try", address]));
    socket.on("connectionAttemptTimeout", (address) => events.push(["late", address]));
    const started = w.network.now;
    await w.until(once(socket, "connect"));
    expect(events).toEqual([
      ["try", "2001:db8::2"],
      ["late", "2001:db8::2"],
      ["try", SERVER],
    ]);
    expect((w.network.now - started) / 1_000).toBeCloseTo(300, -1);
  });

  test.each([
    [false, 300],
    [true, 150],
  ])(
    "noDelay %s: the second small write arrives %i ms after the first was made",
    async (noDelay, ms) => {
      const w = world({ latency: millis(100) }, { tcp: { delayedAck: millis(0) } });
      const { client, served } = await pair(w, {}, { noDelay });
      served.resume();
      await w.network.settle(after(w.network.now, seconds(1)));
      const started = w.network.now;
      client.write("a");
      await w.network.settle(after(started, millis(50)));
      client.write("b");
      await w.network.settle(() => served.bytesRead === 2);
      expect((w.network.now - started) / 1_000).toBeCloseTo(ms, -1);
    },
  );
});

describe("the stream", () => {
  test("written before it is connected, bytes wait and arrive, also the end", async () => {
    const w = world();
    const server = w.server.createServer();
    server.listen(80);
    const accepted = once(server, "connection") as Promise<readonly [StackSocket]>;
    const client = w.client.connect(80, SERVER);
    client.write("early ");
    client.end("bird");
    expect(client.bytesWritten).toBe(10);
    const [served] = await w.until(accepted);
    expect((await w.until(collect(served))).toString()).toBe("early bird");
    expect(client.bytesWritten).toBe(10);
  });

  test("megabytes both ways at once, over a lossy link, arrive whole", async () => {
    const w = world({ latency: millis(5), loss: 0.005, bandwidth: 12_500_000 });
    const { client, served } = await pair(w, { allowHalfOpen: true }, { allowHalfOpen: true });
    const sent = pattern(2 << 20);
    client.end(sent);
    served.end(sent);
    const [up, down] = await w.until(Promise.all([collect(served), collect(client)]));
    expect(up.equals(sent)).toBe(true);
    expect(down.equals(sent)).toBe(true);
    expect(client).toMatchObject({ bytesRead: sent.length, bytesWritten: sent.length });
  });

  test("a reader that stops closes the window: the writer is held and goes on later", async () => {
    const { w, client, served } = await pair();
    served.pause();
    const chunk = pattern(64 << 10);
    let written = 0;
    let blocked = false;
    const pump = () => {
      while (written < 32 << 20 && !blocked) {
        blocked = !client.write(chunk);
        written += chunk.length;
      }
    };
    client.on("drain", () => {
      blocked = false;
      pump();
    });
    pump();
    await w.network.settle(after(w.network.now, seconds(60)));
    const held = written;
    expect(held).toBeLessThan(32 << 20);
    expect(served.readableLength).toBeLessThan(256 << 10);
    await w.network.settle(after(w.network.now, seconds(60)));
    expect(written).toBe(held);
    let received = 0;
    served.on("data", (data: Buffer) => {
      received += data.length;
    });
    served.resume();
    await w.network.settle(() => received >= 32 << 20);
    expect(received).toBe(32 << 20);
  });

  test("the peer ends and half-open is not allowed: the socket ends itself, and both close", async () => {
    const { w, client, served } = await pair();
    const both = Promise.all([once(client, "close"), once(served, "close")]);
    served.resume();
    client.resume();
    client.end("bye");
    expect(await w.until(both)).toEqual([[false], [false]]);
  });

  test("the peer ends and half-open is allowed: the socket goes on writing", async () => {
    const { w, client, served } = await pair(world(), { allowHalfOpen: true });
    client.end("question");
    expect((await w.until(collect(served))).toString()).toBe("question");
    expect(served.readyState).toBe("writeOnly");
    served.end("answer");
    expect((await w.until(collect(client))).toString()).toBe("answer");
  });

  test("written after the peer ended and the socket therefore itself, the error is EPIPE", async () => {
    const { w, client, served } = await pair();
    served.resume();
    served.on("finish", () => served.write("too late"));
    const failed = once(served, "error");
    client.end();
    expect(await w.until(failed)).toMatchObject([
      { code: "EPIPE", message: "This socket has been ended by the other party" },
    ]);
  });

  test("destroySoon writes what waits before it closes", async () => {
    const { w, client, served } = await pair();
    client.write(pattern(1 << 20));
    client.destroySoon();
    expect((await w.until(collect(served))).length).toBe(1 << 20);
    expect(client.destroyed).toBe(true);
  });
});

describe("timeouts and probes", () => {
  test("idle for as long as setTimeout says, timeout is emitted once; bytes put it off", async () => {
    const { w, client, served } = await pair();
    const started = w.network.now;
    const at: number[] = [];
    client.setTimeout(3_000, () => at.push(w.network.now - started));
    await w.network.settle(after(started, seconds(2)));
    served.write("still here");
    client.resume();
    await w.network.settle(after(started, seconds(20)));
    expect(at).toHaveLength(1);
    expect(at[0]! / 1e6).toBeCloseTo(5, 1);
    expect(client.timeout).toBe(3_000);
    expect(client.destroyed).toBe(false);
  });

  test("the option timeout counts while it connects", async () => {
    const w = world();
    w.link.forward.filter = () => false;
    const socket = w.client.connect({ port: 80, host: SERVER, timeout: 700 });
    const started = w.network.now;
    await w.until(once(socket, "timeout"));
    expect(w.network.now - started).toBeLessThan(710_000);
    socket.destroy();
  });

  test("keep-alive, the peer gone: the connection ends with ETIMEDOUT", async () => {
    const { w, client } = await pair();
    client.setKeepAlive(true, 5_000);
    await w.network.settle(after(w.network.now, seconds(1)));
    w.link.forward.filter = () => false;
    const started = w.network.now;
    const [error] = await w.until(once(client, "error"));
    expect(error).toMatchObject({ code: "ETIMEDOUT", syscall: "read", errno: -110 });
    expect((w.network.now - started) / 1e6).toBeLessThan(20);
  });
});
