import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { formatSocketAddress } from "../../src/core/address.ts";
import { millis } from "../../src/core/time.ts";
import { stalledListener } from "../../src/drivers/testing/stalled-listener.ts";
import { freePort } from "../support/ports.ts";
import { RawOrigin } from "../support/raw-origin.ts";
import { type Answer, ok, ScriptedOrigin, type SeenRequest } from "./origin.ts";
import {
  type Driver,
  drivers,
  eventually,
  type OriginOverrides,
  type RunningProxy,
  startProxy,
} from "./support.ts";

const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const withBody = (method: string, body: string): string =>
  `${method} / HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** The status of a request on a connection of its own. */
async function statusOf(proxy: RunningProxy, message: string): Promise<number> {
  await using client = await proxy.client();
  await client.send(message);
  return (await client.response()).status;
}

/** An origin that answers once on its first connection and cuts it upon the second request. */
function cutting(): Promise<ScriptedOrigin> {
  const perConnection = new WeakMap<object, number>();
  return ScriptedOrigin.start((request) => {
    const count = (perConnection.get(request.connection) ?? 0) + 1;
    perConnection.set(request.connection, count);
    if (request.connection.number > 1 || count === 1) return ok(request.body);
    request.socket.destroy();
    return undefined;
  });
}

const setup = (driver: Driver, port: number, origin: OriginOverrides = {}): Promise<RunningProxy> =>
  startProxy({ driver, to: [port], origin });

describe.each(drivers)("upstream failures (%s)", (driver) => {
  test("an endpoint refuses, the next one serves", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("here"));
    await using proxy = await startProxy({ driver, to: [await freePort(), origin.port] });
    await using client = await proxy.client();
    for (let i = 0; i < 4; i++) {
      await client.send(GET);
      expect((await client.response()).body.toString()).toBe("here");
    }
    expect(proxy.recorder.connectFailures.length).toBeGreaterThan(0);
    expect(new Set(proxy.recorder.retries)).toEqual(new Set(["ECONNREFUSED"]));
  });

  test("every endpoint refuses, 502 and the client's connection stays", async () => {
    await using proxy = await startProxy({ driver, to: [await freePort(), await freePort()] });
    await using client = await proxy.client();
    for (let i = 0; i < 2; i++) {
      await client.send(GET);
      const answer = await client.response();
      expect(answer.status).toBe(502);
      expect(answer.body.toString()).not.toContain("127.0.0.1");
    }
    expect(proxy.recorder.last.attempts).toBe(2);
    expect(proxy.recorder.last.error).toBe("ECONNREFUSED");
  });

  test("no endpoint at all, or a name that does not resolve: 503", async () => {
    for (const to of [[], ["no-such-name.invalid:80"]]) {
      await using proxy = await startProxy({ driver, to });
      for (const { where } of proxy.recorder.faults) proxy.recorder.expected.add(where);
      expect(await statusOf(proxy, GET)).toBe(503);
      expect(proxy.recorder.last.error).toBe("NO_ENDPOINT");
    }
  });

  test("no answer to the connect, 504", async () => {
    const stalled = await stalledListener();
    try {
      const to = [formatSocketAddress(stalled.address)];
      const origin = { timeouts: { connect: millis(50) } };
      await using proxy = await startProxy({ driver, to, origin });
      expect(await statusOf(proxy, GET)).toBe(504);
      expect(proxy.recorder.last.error).toBe("CONNECT_TIMEOUT");
      expect(proxy.recorder.last.attempts).toBe(2);
      expect(proxy.recorder.connectFailures).toEqual(["CONNECT_TIMEOUT", "CONNECT_TIMEOUT"]);
    } finally {
      await stalled.release();
    }
  });

  test("the client leaves while the connect is under way, it is given up", async () => {
    const stalled = await stalledListener();
    try {
      await using proxy = await startProxy({ driver, to: [formatSocketAddress(stalled.address)] });
      await using client = await proxy.client();
      await client.send(GET);
      await eventually("it connects", () => proxy.origin.connections === 1);
      client.reset();
      await eventually("it is given up", () => proxy.origin.connections === 0);
      expect(proxy.recorder.last.status).toBe(0);
    } finally {
      await stalled.release();
    }
  });

  test("no connection comes free in time, 503", async () => {
    await using origin = await ScriptedOrigin.start(() => undefined);
    const overrides = { timeouts: { connect: millis(50) }, limits: { connectionsPerEndpoint: 1 } };
    await using proxy = await setup(driver, origin.port, overrides);
    await using first = await proxy.client();
    await first.send(GET);
    await eventually("the only connection is taken", () => proxy.origin.active === 1);
    expect(await statusOf(proxy, GET)).toBe(503);
    expect(proxy.recorder.last.error).toBe("CONNECTION_LIMIT");
    first.reset();
  });

  test.each([
    ["nothing comes", "", 504, "FIRST_BYTE_TIMEOUT", { firstByte: millis(50) }],
    [
      "the head stalls",
      "HTTP/1.1 200 OK\r\nX",
      504,
      "BETWEEN_BYTES_TIMEOUT",
      { betweenBytes: millis(50) },
    ],
    ["all takes too long", "", 504, "TOTAL_TIMEOUT", { total: millis(50) }],
    [
      "nothing comes behind an interim answer",
      "HTTP/1.1 103 H\r\n\r\n",
      504,
      "FIRST_BYTE_TIMEOUT",
      { firstByte: millis(50), betweenBytes: millis(1) },
    ],
  ] as const)("%s: its own timeout answers", async (_name, bytes, status, code, timeouts) => {
    await using origin = await RawOrigin.start((c) => void (bytes !== "" && c.socket.write(bytes)));
    await using proxy = await setup(driver, origin.port, { timeouts });
    await using client = await proxy.client();
    await client.send(GET);
    let answer = await client.response();
    if (answer.status === 103) answer = await client.response();
    expect(answer.status).toBe(status);
    expect(proxy.recorder.last.error).toBe(code);
    expect(proxy.recorder.last.attempts).toBe(1);
    await eventually("the origin is cut", () => origin.connections[0]!.ended !== "open");
  });

  test("the body stalls, the client sees it broken", async () => {
    await using origin = await RawOrigin.start(
      (c) => void c.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"),
    );
    await using proxy = await setup(driver, origin.port, {
      timeouts: { betweenBytes: millis(50) },
    });
    await using client = await proxy.client();
    await client.send(GET);
    await client.until((text) => text.endsWith("part"));
    await client.untilEnd();
    expect(proxy.recorder.last.error).toBe("BETWEEN_BYTES_TIMEOUT");
    expect(proxy.recorder.last.status).toBe(200);
  });

  test("the upstream takes nothing of an upload, 504 between bytes", async () => {
    await using origin = await RawOrigin.start((c) => void c.socket.pause());
    await using proxy = await setup(driver, origin.port, {
      timeouts: { betweenBytes: millis(200) },
    });
    await using client = await proxy.client();
    await client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${64 << 20}\r\n\r\n`);
    void client.send(Buffer.alloc(32 << 20));
    expect((await client.response()).status).toBe(504);
    expect(proxy.recorder.last.error).toBe("BETWEEN_BYTES_TIMEOUT");
    client.reset();
  });

  test("a slow client's upload, does not count against the upstream's first byte", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("done"));
    const timeouts = { firstByte: millis(60), betweenBytes: millis(60) };
    await using proxy = await setup(driver, origin.port, { timeouts });
    await using client = await proxy.client();
    await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n");
    for (const byte of "abc") {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await client.send(byte);
    }
    expect((await client.response()).body.toString()).toBe("done");
  });

  describe("a kept connection is closed just when it is used", () => {
    const cases: readonly (readonly [string, string, OriginOverrides, number])[] = [
      ["GET", GET, {}, 200],
      ["PUT with a body that was kept", withBody("PUT", "x".repeat(100)), {}, 200],
      [
        "PUT with a body beyond what is kept",
        withBody("PUT", "x".repeat(200)),
        { retries: { keepBody: 100 } },
        502,
      ],
      ["POST", withBody("POST", "x"), {}, 502],
      ["POST without a body", withBody("POST", ""), {}, 502],
      [
        "POST where that is allowed",
        withBody("POST", "x".repeat(100)),
        { retries: { nonIdempotent: true } },
        200,
      ],
      ["GET with one attempt", GET, { retries: { attempts: 1 } }, 502],
    ];
    test.each(cases)("%s", async (_name, message, overrides, status) => {
      await using origin = await cutting();
      await using proxy = await setup(driver, origin.port, overrides);
      await using client = await proxy.client();
      await client.send(GET);
      expect((await client.response()).status).toBe(200);
      await client.send(message);
      const answer = await client.response();
      expect(answer.status).toBe(status);
      if (status === 200) {
        expect(answer.body.toString()).toBe(message.split("\r\n\r\n")[1]);
        expect(proxy.recorder.retries).toEqual([proxy.recorder.retries[0]]);
      } else expect(proxy.recorder.retries).toEqual([]);
      expect(proxy.recorder.last.attempts).toBe(status === 200 ? 2 : 1);
    });
  });

  test("many kept connections all die unnoticed, a request still gets through", async () => {
    let dying = 0;
    await using origin = await ScriptedOrigin.start((request) => {
      if (request.connection.number > dying) return ok("fine");
      request.socket.destroy();
      return undefined;
    });
    await using proxy = await setup(driver, origin.port);
    const clients = await Promise.all([1, 2, 3, 4].map(() => proxy.client()));
    await Promise.all(clients.map((client) => client.send(GET)));
    for (const client of clients) await client.response();
    const idle = proxy.origin.idle;
    dying = origin.connections.length;
    await clients[0]!.send(GET);
    expect((await clients[0]!.response()).status).toBe(200);
    expect(idle).toBeGreaterThan(0);
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  test("a fresh connection dies before an answer, 502 without a retry", async () => {
    await using origin = await RawOrigin.start((c) => void c.socket.destroy());
    await using proxy = await setup(driver, origin.port);
    expect(await statusOf(proxy, GET)).toBe(502);
    expect(proxy.recorder.last.attempts).toBe(1);
    expect(["PREMATURE_CLOSE", "ECONNRESET"]).toContain(proxy.recorder.last.error);
  });

  const malformed: readonly (readonly [string, string])[] = [
    ["a bad status line", "HTTP/1.1 abc\r\n\r\n"],
    ["no HTTP at all", "SSH-2.0-OpenSSH\r\n"],
    [
      "both length and coding",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
    ["a head without end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}`],
    ["too many fields", `HTTP/1.1 200 OK\r\n${"X: x\r\n".repeat(1_000)}\r\n`],
    ["a folded line", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"],
  ];
  test.each(malformed)(
    "%s, is a bad gateway, and its connection is not used again",
    async (_name, bytes) => {
      await using origin = await RawOrigin.start((c) => void c.socket.write(bytes));
      await using proxy = await setup(driver, origin.port);
      await using client = await proxy.client();
      for (let i = 0; i < 2; i++) {
        await client.send(GET);
        expect((await client.response()).status).toBe(502);
        expect(proxy.recorder.last.source).toBe("upstream");
      }
      expect(origin.connections.length).toBe(2);
      expect(proxy.origin.idle).toBe(0);
    },
  );

  test("a chunked body that turns malformed, is broken for the client too", async () => {
    await using origin = await RawOrigin.start(
      (c) =>
        void c.socket.write(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\nzz\r\n",
        ),
    );
    await using proxy = await setup(driver, origin.port);
    await using client = await proxy.client();
    await client.send(GET);
    await client.untilEnd();
    expect(client.answer().text).not.toContain("0\r\n\r\n");
    expect(proxy.recorder.last.error).toBe("MALFORMED_MESSAGE");
  });

  const breaks: readonly (readonly [string, string, (c: { socket: Socket }) => void])[] = [
    ["a length, closed", "Content-Length: 9", (c) => void c.socket.end()],
    ["a length, reset", "Content-Length: 9", (c) => void c.socket.resetAndDestroy()],
    ["chunks, closed", "Transfer-Encoding: chunked", (c) => void c.socket.end()],
    ["chunks, reset", "Transfer-Encoding: chunked", (c) => void c.socket.resetAndDestroy()],
    ["no length, reset", "X: y", (c) => void c.socket.resetAndDestroy()],
  ];
  test.each(breaks)(
    "a body with %s in its middle, has no clean end for the client",
    async (_name, field, cut) => {
      await using origin = await RawOrigin.start((c) => {
        const part = field.startsWith("Transfer") ? "4\r\npart\r\n" : "part";
        c.socket.write(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n${part}`);
      });
      await using proxy = await setup(driver, origin.port);
      await using client = await proxy.client();
      await client.send(GET);
      await client.until((text) => text.includes("part"));
      cut(origin.connections[0]!);
      await client.untilEnd();
      expect(client.answer().text).not.toContain("\r\n0\r\n\r\n");
      expect(client.end).toBe("reset");
      expect(proxy.recorder.last.attempts).toBe(1);
      expect(proxy.recorder.last.source).toBe("upstream");
    },
  );

  const surplus: readonly (readonly [string, (r: SeenRequest) => string | undefined])[] = [
    ["in the same segment", () => `${ok("fine")}HTTP/1.1 200 OK\r\n`],
    [
      "a little later",
      ({ socket }) => {
        setTimeout(() => socket.write(ok("surplus")), 20);
        return ok("fine");
      },
    ],
  ];
  test.each(surplus)(
    "bytes behind a response, %s, and its connection is not used again",
    async (_name, answer) => {
      await using origin = await ScriptedOrigin.start(answer as Answer);
      await using proxy = await setup(driver, origin.port);
      await using client = await proxy.client();
      for (let i = 1; i <= 2; i++) {
        await client.send(GET);
        expect((await client.response()).body.toString()).toBe("fine");
        await eventually("the connection is gone", () => proxy.recorder.upstreamOpen === 0);
        expect(origin.connections.length).toBe(i);
      }
    },
  );

  test("bytes that arrive before the next request has left, do not answer it", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("fine"));
    await using proxy = await setup(driver, origin.port);
    await using client = await proxy.client();
    for (let i = 0; i < 20; i++) {
      await client.send(GET);
      expect((await client.response()).body.toString()).toBe("fine");
      await eventually("it is idle", () => proxy.origin.idle === 1);
      // Both lie in the kernel before the proxy looks, the request in front.
      const sent = client.send(GET);
      origin.connections.at(-1)!.socket.write(ok("poison"));
      await sent;
      expect((await client.response()).body.toString()).toBe("fine");
    }
  });

  test("an idle connection that the origin closes, leaves the pool", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("fine"));
    await using proxy = await setup(driver, origin.port);
    await using client = await proxy.client();
    await client.send(GET);
    await client.response();
    await eventually("it is idle", () => proxy.origin.idle === 1);
    origin.connections[0]!.socket.end();
    await eventually("it is gone", () => proxy.origin.connections === 0 && proxy.origin.idle === 0);
    await client.send(GET);
    expect((await client.response()).status).toBe(200);
    expect(proxy.recorder.retries).toEqual([]);
  });

  test("more connections than may stay idle, the surplus is closed", async () => {
    await using origin = await ScriptedOrigin.start(() => undefined);
    await using proxy = await setup(driver, origin.port, { limits: { idlePerEndpoint: 2 } });
    const clients = await Promise.all(Array.from({ length: 5 }, () => proxy.client()));
    for (const client of clients) await client.send(GET);
    await eventually("all are there", () => origin.requests.length === 5);
    for (const { socket } of origin.requests) socket.write(ok("fine"));
    for (const client of clients) expect((await client.response()).status).toBe(200);
    await eventually(
      "two are left",
      () => proxy.origin.connections === 2 && proxy.origin.idle === 2,
    );
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  test("every connection is taken, requests wait in line, and past the line they get 503", async () => {
    await using origin = await ScriptedOrigin.start(() => undefined);
    await using proxy = await setup(driver, origin.port, {
      limits: { connectionsPerEndpoint: 1, pending: 2 },
    });
    const clients = await Promise.all(Array.from({ length: 3 }, () => proxy.client()));
    for (const [i, client] of clients.entries()) {
      await client.send(`GET /${i} HTTP/1.1\r\nHost: h\r\n\r\n`);
      await eventually(
        "it has its place",
        () => proxy.origin.active + proxy.origin.waiting === i + 1,
      );
    }
    expect(await statusOf(proxy, GET)).toBe(503);
    // The second leaves the line; the third then has its turn behind the first.
    clients[1]!.reset();
    await eventually("one waits", () => proxy.origin.waiting === 1);
    origin.last.socket.write(ok("first"));
    expect((await clients[0]!.response()).body.toString()).toBe("first");
    await eventually("the third is served", () => origin.requests.length === 2);
    expect(origin.last.line).toBe("GET /2 HTTP/1.1");
    origin.last.socket.write(ok("third"));
    expect((await clients[2]!.response()).body.toString()).toBe("third");
    expect(origin.connections.length).toBe(1);
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  test("an endpoint over a unix socket's path that is missing, 502", async () => {
    await using proxy = await startProxy({ driver, to: ["unix:/nonexistent/millrace.sock"] });
    expect(await statusOf(proxy, GET)).toBe(502);
  });

  test("summary times, are in order and count the connect", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("fine"));
    await using proxy = await setup(driver, origin.port);
    expect(await statusOf(proxy, GET)).toBe(200);
    const { connect, firstByte, total, endpoint, upstream, reused, requestBytes } =
      proxy.recorder.last;
    expect(connect).toBeGreaterThanOrEqual(0);
    expect(firstByte).toBeGreaterThanOrEqual(connect!);
    expect(total).toBeGreaterThanOrEqual(firstByte!);
    expect([endpoint, upstream, reused, requestBytes]).toEqual([
      `127.0.0.1:${origin.port}`,
      "origin",
      false,
      0,
    ]);
  });
});
