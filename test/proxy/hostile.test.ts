import { describe, expect, test } from "vitest";
import type { RawClient } from "../support/raw-http.ts";
import { RawOrigin } from "../support/raw-origin.ts";
import { chunks, ok, ScriptedOrigin } from "./origin.ts";
import { drivers, eventually, type RunningProxy, startProxy } from "./support.ts";

const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const UPLOAD = `POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(["bo", "dy"], "X-T: 1")}`;
const ANSWER = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(["bo", "dy"], "X-T: 1")}`;

async function served(proxy: RunningProxy): Promise<void> {
  await using client = await proxy.client();
  await client.send(GET);
  expect((await client.response()).status).toBe(200);
}

/** A generator of numbers below `bound` from a fixed seed (xorshift32). */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

describe.each(drivers)("hostile peers (%s)", (driver) => {
  test.each(["resets", "closes"])(
    "a client that %s at every byte of a request, leaves nothing behind",
    async (how) => {
      await using origin = await ScriptedOrigin.start(() => ok("fine"));
      await using proxy = await startProxy({ driver, to: [origin.port] });
      for (let at = 0; at <= UPLOAD.length; at++) {
        await using client = await proxy.client();
        await client.send(UPLOAD.slice(0, at));
        if (how === "resets") client.reset();
      }
      await eventually("all are gone", () => proxy.server.connections === 0);
      await served(proxy);
      for (const { status } of proxy.recorder.requests) expect([0, 200]).toContain(status);
    },
  );

  test.each(["resets", "closes"])(
    "an origin that %s at every byte of a response, breaks that one alone",
    async (how) => {
      let at = 0;
      await using origin = await RawOrigin.start((c) => {
        c.received = "";
        c.socket.write(ANSWER.slice(0, at), () => {
          if (at >= ANSWER.length) return;
          if (how === "closes") c.socket.end();
          // What is on its way shall arrive before the reset.
          else setTimeout(() => c.socket.resetAndDestroy(), 3);
        });
      });
      await using proxy = await startProxy({
        driver,
        to: [origin.port],
        origin: { retries: { attempts: 1 } },
      });
      for (at = 0; at < ANSWER.length; at++) {
        await using client = await proxy.client();
        await client.send(GET);
        const headEnd = ANSWER.indexOf("\r\n\r\n") + 4;
        if (at < headEnd) expect((await client.response()).status).toBe(502);
        else {
          await client.untilEnd();
          expect(client.answer().text.endsWith("\r\n0\r\nX-T: 1\r\n\r\n")).toBe(false);
          expect(client.answer().text.endsWith("\r\n0\r\n\r\n")).toBe(false);
        }
      }
      await served(proxy);
      expect(proxy.recorder.requests.filter(({ error }) => error === null).length).toBe(1);
    },
  );

  test("random bytes, are answered or closed, and do no harm", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("fine"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    const next = numbers(20_261_121);
    const parts = [
      "GET / HTTP/1.1\r\n",
      "Host: h\r\n",
      "\r\n",
      "Content-Length: 5\r\n",
      "Transfer-Encoding: chunked\r\n",
      "5\r\nhello\r\n",
      "0\r\n\r\n",
      "\0",
      "\r",
      "\n",
      "POST * HTTP/1.1\r\n",
    ];
    for (let i = 0; i < 150; i++) {
      await using client = await proxy.client();
      for (let j = next(6); j >= 0; j--) {
        const noise = Buffer.from(Array.from({ length: next(40) }, () => next(256)));
        await client.send(next(2) === 0 ? parts[next(parts.length)]! : noise);
      }
      if (next(2) === 0) client.reset();
      else client.halfClose();
      if (next(2) === 0) await client.untilEnd();
    }
    await eventually("all are gone", () => proxy.server.connections === 0);
    await served(proxy);
  });

  test("random bytes as answers, become 502 or broken messages, and do no harm", async () => {
    const next = numbers(7_919);
    const parts = [
      "HTTP/1.1 200 OK\r\n",
      "\r\n",
      "Content-Length: 5\r\n",
      "Transfer-Encoding: chunked\r\n",
      "5\r\nhello\r\n",
      "0\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 101 X\r\n\r\n",
    ];
    await using origin = await RawOrigin.start((c) => {
      for (let j = next(5); j >= 0; j--) {
        const noise = Buffer.from(Array.from({ length: next(40) }, () => next(256)));
        c.socket.write(next(3) > 0 ? parts[next(parts.length)]! : noise);
      }
      c.socket.end();
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    for (let i = 0; i < 150; i++) {
      await using client = await proxy.client();
      await client.send(GET);
      client.halfClose();
      await client.untilEnd();
    }
    await eventually("all are over", () => proxy.server.connections === 0);
  });

  test("heads of which a part came, are reported as requests without a method", async () => {
    await using proxy = await startProxy({ driver, to: [1] });
    const long = `GET /${"long".repeat(100)} HTTP/1.1\r\nHost: h\r\n`;
    for (const part of ["G", "GET /", long, `${long}X: y\r\nBad`]) {
      await using client = await proxy.client();
      await client.send(part);
      client.halfClose();
      await client.untilEnd();
    }
    await using refused = await proxy.client();
    await refused.send(`${long}Bad\r\n\r\n`);
    expect((await refused.response()).status).toBe(400);
    const seen = proxy.recorder.requests.map(({ method, target, host }) => method + target + host);
    expect(seen).toEqual(["", "", "", "", ""]);
  });

  test("2,000 idle connections, cost no one their service and go without a trace", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("fine"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    const idle: RawClient[] = [];
    for (let i = 0; i < 20; i++) {
      idle.push(...(await Promise.all(Array.from({ length: 100 }, () => proxy.client()))));
    }
    await eventually("all are open", () => proxy.server.connections === 2_000);
    await served(proxy);
    await Promise.all(idle.map((client) => client[Symbol.asyncDispose]()));
    await eventually("all are gone", () => proxy.server.connections === 0);
    expect(proxy.recorder.requests.length).toBe(1);
  });

  test("exchanges used over and over by good and bad requests, keep nothing of each other", async () => {
    await using origin = await ScriptedOrigin.start((r) =>
      ok(`${r.line} ${r.header("x-id")} ${r.body}`),
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    const next = numbers(42);
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        for (let i = 0; i < 40; i++) {
          await using client = await proxy.client();
          const id = `${worker}-${i}`;
          const body = "b".repeat(next(2_000));
          const kind = next(4);
          if (kind === 0) {
            await client.send(`POST /${id} HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\nx`);
            client.reset();
          } else if (kind === 1) {
            await client.send(`GET /${id} HTTP/1.1\r\nHost: h\r\nBad Field: x\r\n\r\n`);
            expect((await client.response()).status).toBe(400);
          } else {
            await client.send(
              `POST /${id} HTTP/1.1\r\nHost: h\r\nX-Id: ${id}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
            );
            expect((await client.response()).body.toString()).toBe(
              `POST /${id} HTTP/1.1 ${id} ${body}`,
            );
          }
        }
      }),
    );
  });
});
