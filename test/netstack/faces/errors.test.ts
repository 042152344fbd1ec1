import { describe, expect, test } from "vitest";
import { after, seconds } from "../../../src/core/time.ts";
import type { StackSocket } from "../../../src/netstack/node/public.ts";
import { CLIENT, NOBODY, once, SERVER, world } from "./world.ts";

const failureOf = async (w: ReturnType<typeof world>, socket: StackSocket) => {
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const [error] = await w.until(once(socket, "error"));
  expect(await w.until(closed)).toBe(true);
  return error;
};

describe("connect", () => {
  test("to a port where nobody listens: ECONNREFUSED", async () => {
    const w = world();
    expect(await failureOf(w, w.client.connect(81, SERVER))).toMatchObject({
      message: `connect ECONNREFUSED ${SERVER}:81`,
      code: "ECONNREFUSED",
      errno: -111,
      syscall: "connect",
      address: SERVER,
      port: 81,
    });
  });

  test("to a name with two addresses, both refused: one error with both in it", async () => {
    const w = world();
    const error = await failureOf(w, w.client.connect(81, "server.test"));
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({
      code: "ECONNREFUSED",
      errors: [{ address: "2001:db8::2" }, { address: SERVER }],
    });
  });

  test("to a neighbour who does not answer: EHOSTUNREACH", async () => {
    const w = world();
    expect(await failureOf(w, w.client.connect(80, NOBODY))).toMatchObject({
      message: `connect EHOSTUNREACH ${NOBODY}:80`,
      errno: -113,
    });
  });

  test("to where no route leads: ENETUNREACH", async () => {
    const w = world();
    expect(await failureOf(w, w.client.connect(80, "203.0.113.7"))).toMatchObject({
      message: "connect ENETUNREACH 203.0.113.7:80",
      errno: -101,
    });
  });

  test("to a host that answers ARP and nothing else: ETIMEDOUT", async () => {
    const w = world({}, { tcp: { synRetries: 2 } });
    await w.until(once(w.client.connect(81, SERVER), "error"));
    w.link.backward.filter = () => false;
    expect(await failureOf(w, w.client.connect(80, SERVER))).toMatchObject({
      code: "ETIMEDOUT",
      syscall: "connect",
    });
  });

  test("from an address that is not ours: EADDRNOTAVAIL", async () => {
    const w = world();
    const socket = w.client.connect({ port: 80, host: SERVER, localAddress: NOBODY });
    expect(await failureOf(w, socket)).toMatchObject({ code: "EADDRNOTAVAIL" });
  });

  test("from a port that is in use for the same peer: EADDRINUSE, with the local end", async () => {
    const w = world();
    w.server.createServer().listen(80);
    const options = { port: 80, host: SERVER, localAddress: CLIENT, localPort: 5_000 };
    await w.until(once(w.client.connect(options), "connect"));
    expect(await failureOf(w, w.client.connect(options))).toMatchObject({
      message: `connect EADDRINUSE ${SERVER}:80 - Local (${CLIENT}:5000)`,
    });
  });

  test("to a name that nobody knows: ENOTFOUND, also by the event lookup", async () => {
    const w = world();
    const socket = w.client.connect(80, "nowhere.test");
    let told: unknown;
    socket.on("lookup", (error) => {
      told = error;
    });
    const error = await failureOf(w, socket);
    expect(error).toMatchObject({
      message: "getaddrinfo ENOTFOUND nowhere.test",
      code: "ENOTFOUND",
      errno: -3008,
      syscall: "getaddrinfo",
      hostname: "nowhere.test",
    });
    expect(told).toBe(error);
  });

  test("with a signal that is aborted meanwhile: ABORT_ERR, and the attempt is dropped", async () => {
    const w = world();
    w.server.createServer().listen(80);
    const controller = new AbortController();
    const socket = w.client.connect({ port: 80, host: SERVER, signal: controller.signal });
    controller.abort();
    expect(await failureOf(w, socket)).toMatchObject({ name: "AbortError", code: "ABORT_ERR" });
    await w.network.settle(after(w.network.now, seconds(1)));
    expect(w.stacks.client.tcp.connections).toBe(0);
  });

  test("written before and then destroyed: the write hears that it never came to that", async () => {
    const w = world();
    const socket = w.client.connect(80, SERVER);
    const written = new Promise((resolve) => socket.write("x", resolve));
    socket.destroy();
    expect(await w.until(written)).toMatchObject({ code: "ERR_SOCKET_CLOSED_BEFORE_CONNECTION" });
  });

  test("without a port, or with one that is none, it throws", () => {
    const w = world();
    expect(() => w.client.connect({} as never)).toThrow(
      expect.objectContaining({ code: "ERR_MISSING_ARGS" }),
    );
    expect(() => w.client.connect(65_536)).toThrow(
      expect.objectContaining({ code: "ERR_SOCKET_BAD_PORT" }),
    );
  });
});

describe("a connection that stood", () => {
  async function connected() {
    const w = world({}, { tcp: { userTimeout: seconds(30) } });
    const server = w.server.createServer().listen(80);
    const accepted = once(server, "connection") as Promise<readonly [StackSocket]>;
    const client = w.client.connect(80, SERVER);
    const [served] = await w.until(accepted);
    return { w, client, served };
  }

  test("is reset by the peer: ECONNRESET", async () => {
    const { w, client, served } = await connected();
    served.resetAndDestroy();
    expect(await failureOf(w, client)).toMatchObject({
      message: "read ECONNRESET",
      code: "ECONNRESET",
      errno: -104,
      syscall: "read",
    });
  });

  test("has a peer that vanished with data under way: ETIMEDOUT or what ICMP said", async () => {
    const { w, client } = await connected();
    w.link.backward.filter = () => false;
    client.write("anybody there?");
    const error = await failureOf(w, client);
    expect(["ETIMEDOUT", "EHOSTUNREACH"]).toContain((error as { code: string }).code);
  });

  test("loses its stack: ECONNABORTED", async () => {
    const { w, client } = await connected();
    const failed = failureOf(w, client);
    w.stacks.client.close();
    expect(await failed).toMatchObject({ code: "ECONNABORTED" });
  });
});
