import { describe, expect, test } from "vitest";
import { millis } from "../../src/core/time.ts";
import { RawClient } from "../support/raw-http.ts";
import { chunks, ok, response, ScriptedOrigin } from "./origin.ts";
import {
  aWhile,
  drivers,
  eventually,
  type ListenerOverrides,
  type RunningProxy,
  startProxy,
} from "./support.ts";

const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/** Sends, and expects an answer with this status and a close; then that a good request is served. */
async function refused(proxy: RunningProxy, message: string, status: number): Promise<void> {
  await using client = await proxy.client();
  await client.send(message);
  const answer = await client.response();
  expect(answer.status).toBe(status);
  expect(answer.header("connection")).toBe("close");
  expect(await client.untilEnd()).toBe("closed");
  await using next = await proxy.client();
  await next.send(GET);
  expect((await next.response()).status).toBe(200);
}

describe.each(drivers)("limits and bad input (%s)", (driver) => {
  const withOrigin = async (
    listener: ListenerOverrides,
    run: (proxy: RunningProxy, origin: ScriptedOrigin) => Promise<void>,
  ): Promise<void> => {
    await using origin = await ScriptedOrigin.start(() => ok("fine"));
    await using proxy = await startProxy({ driver, to: [origin.port], listener });
    await run(proxy, origin);
  };

  test("a head that does not end in time, 408", async () => {
    await withOrigin({ timeouts: { head: millis(60) } }, async (proxy) => {
      await refused(proxy, "GET / HTTP/1.1\r\nHost:", 408);
      expect(proxy.recorder.requests[0]!.error).toBe("HEAD_TIMEOUT");
    });
  });

  test("a head that drips, does not move its deadline", async () => {
    await withOrigin({ timeouts: { head: millis(150) } }, async (proxy) => {
      await using client = await proxy.client();
      const dripping = (async () => {
        for (let i = 0; i < 1_000 && client.end === "open"; i++) {
          await client.send(i === 0 ? "GET / HTTP/1.1\r\nHost: h\r\n" : `X-${i}: y\r\n`);
          await aWhile(5);
        }
      })();
      expect((await client.response()).status).toBe(408);
      client.halfClose();
      await client.untilEnd();
      await dripping;
    });
  });

  test("a body that stalls, 408, and the upstream's work is cancelled", async () => {
    await withOrigin({ timeouts: { body: millis(60) } }, async (proxy, origin) => {
      await refused(proxy, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\npart", 408);
      expect(proxy.recorder.requests[0]!.error).toBe("BODY_TIMEOUT");
      await eventually("the origin is cut", () => origin.connections[0]!.ended !== "open");
    });
  });

  test("a connection without a request, is closed when its time is over", async () => {
    await withOrigin({ timeouts: { idle: millis(60) } }, async (proxy) => {
      await using client = await proxy.client();
      expect(await client.untilEnd()).toBe("closed");
      await using second = await proxy.client();
      await second.send(GET);
      await second.response();
      expect(await second.untilEnd()).toBe("closed");
      expect(proxy.recorder.requests.length).toBe(1);
    });
  });

  test.each([
    ["a target past the limit", `GET /${"a".repeat(9_000)} HTTP/1.1\r\nHost: h\r\n\r\n`, 414],
    ["a target without end", `GET /${"a".repeat(100_000)}`, 414],
    ["a head past the limit", `GET / HTTP/1.1\r\nHost: h\r\nX: ${"x".repeat(40_000)}\r\n\r\n`, 431],
    ["a head without end", `GET / HTTP/1.1\r\nHost: h\r\n${"X: y\r\n".repeat(20_000)}`, 431],
    ["too many fields", `GET / HTTP/1.1\r\nHost: h\r\n${"X: y\r\n".repeat(200)}\r\n`, 431],
    ["a length past the limit", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", 413],
    [
      "chunks past the limit",
      `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(["x".repeat(900), "y".repeat(200)])}`,
      413,
    ],
    ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
    [
      "length and coding",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
      400,
    ],
    ["a folded line", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400],
    ["a space before the colon", "GET / HTTP/1.1\r\nHost: h\r\nX : a\r\n\r\n", 400],
    ["a bare line feed", "GET / HTTP/1.1\nHost: h\n\n", 400],
    [
      "a bad chunk size",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      400,
    ],
    [
      "an unknown coding",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      501,
    ],
    ["tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400],
  ])("%s, is refused and the connection closed", async (_name, message, status) => {
    await withOrigin({ limits: { body: 1_000 } }, async (proxy) => {
      await refused(proxy, message, status);
      expect(proxy.recorder.requests[0]!.status).toBe(status);
      expect(proxy.recorder.requests[0]!.source).toBe("downstream");
    });
  });

  test("http/2's preface where http/2 is off, is refused: 505", async () => {
    await withOrigin({ http2: null }, async (proxy) => {
      await refused(proxy, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
    });
  });

  test("trace, is not passed on: 405", async () => {
    await withOrigin({}, async (proxy, origin) => {
      await using client = await proxy.client();
      await client.send("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n");
      expect((await client.response()).status).toBe(405);
      expect(origin.requests.length).toBe(0);
    });
  });

  test.each([
    [
      "a refused head",
      `POST / HTTP/1.1\r\nHost: h\r\nX : bad\r\nContent-Length: ${8 << 20}\r\n\r\n`,
      400,
    ],
    ["a refused body", `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${8 << 20}\r\n\r\n`, 413],
  ])(
    "a client that writes all before it reads, behind %s, gets its answer",
    async (_name, head, status) => {
      await withOrigin({ limits: { body: 1_000 } }, async (proxy) => {
        await using client = await proxy.client();
        client.pause();
        await client.send(head);
        for (let i = 0; i < 8; i++) await client.send(Buffer.alloc(1 << 20));
        client.resume();
        const answer = await client.response();
        expect(answer.status).toBe(status);
        client.halfClose();
        expect(await client.untilEnd()).toBe("closed");
      });
    },
  );

  test("an origin's early refusal of an upload, reaches a client that writes all before it reads", async () => {
    await using origin = await ScriptedOrigin.start(() => undefined);
    await using refusing = await ScriptedOrigin.start(() => ok());
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: { requestFilter: (session) => session.respond(403, null, "no") },
    });
    await using client = await proxy.client();
    client.pause();
    await client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${8 << 20}\r\n\r\n`);
    for (let i = 0; i < 8; i++) await client.send(Buffer.alloc(1 << 20));
    client.resume();
    expect((await client.response()).status).toBe(403);
    expect(refusing.requests.length).toBe(0);
    client.halfClose();
    await client.untilEnd();
  });

  test("connections past the limit, are closed, and room made is given away again", async () => {
    await withOrigin({ limits: { connections: 2 } }, async (proxy) => {
      const first = await proxy.client();
      await using second = await proxy.client();
      await eventually("two are open", () => proxy.server.connections === 2);
      const third = await RawClient.connect({ port: proxy.port }).catch(() => null);
      if (third !== null) {
        await third.untilEnd();
        await third[Symbol.asyncDispose]();
      }
      expect(proxy.recorder.refused).toBe(1);
      await first[Symbol.asyncDispose]();
      await eventually("one is open", () => proxy.server.connections === 1);
      await using fourth = await proxy.client();
      for (const client of [second, fourth]) {
        await client.send(GET);
        expect((await client.response()).status).toBe(200);
      }
    });
  });

  test.each([
    ["a broken message", "BAD\r\n\r\n", GET],
    ["a head that came too late", "GET / HTTP/1.1\r\n", "Host: h\r\n\r\n"],
  ])("failToProxy waits over %s, more of which comes: one answer", async (_name, message, more) => {
    const gate = Promise.withResolvers<void>();
    let asked = 0;
    await using proxy = await startProxy({
      driver,
      to: [1],
      listener: { timeouts: { head: millis(40) } },
      program: {
        async failToProxy(session) {
          asked++;
          await gate.promise;
          return session.respond(400, null, "own");
        },
      },
    });
    await using client = await proxy.client();
    await client.send(message);
    await eventually("it was asked", () => asked === 1);
    await client.send(more);
    await aWhile();
    gate.resolve();
    expect((await client.response()).body.toString()).toBe("own");
    expect(await client.untilEnd()).toBe("closed");
    expect(asked).toBe(1);
    expect(proxy.recorder.requests.length).toBe(1);
  });

  test("bad syntax as an answer of the origin's own, leaks nothing of the cause", async () => {
    await using origin = await ScriptedOrigin.start(() => response(200, "x").replace("200", "2x0"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(GET);
    const answer = await client.response();
    expect(answer.body.toString()).toBe("502 Bad Gateway\n");
  });
});
