import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { millis } from "../../src/core/time.ts";
import { RawOrigin } from "../support/raw-origin.ts";
import { ok, ScriptedOrigin } from "./origin.ts";
import { aWhile, drivers, eventually, startProxy } from "./support.ts";

const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const big = randomBytes(30 << 20);
const hashOf = (data: Buffer): string => createHash("sha256").update(data).digest("hex");

/** An origin that answers an upload with its hash, and a GET with `big`. */
async function hashing(): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    if (request.method === "GET") {
      if (request.url === "/length") response.setHeader("Content-Length", big.length);
      return void response.end(big);
    }
    const hash = createHash("sha256");
    request.on("data", (chunk: Buffer) => hash.update(chunk));
    request.on("end", () => response.end(hash.digest("hex")));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

async function fetchBody(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: Buffer } = {},
): Promise<Buffer> {
  const request = httpRequest({
    port,
    path,
    agent: false,
    method: options.method ?? "GET",
    headers: options.headers ?? {},
  });
  request.end(options.body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe.each(drivers)("bodies (%s)", (driver) => {
  test("30 MB with a length and chunked, both ways, arrive whole", async () => {
    const { server, port } = await hashing();
    try {
      await using proxy = await startProxy({ driver, to: [port] });
      const wanted = hashOf(big);
      expect(hashOf(await fetchBody(proxy.port, "/length"))).toBe(wanted);
      expect(hashOf(await fetchBody(proxy.port, "/chunked"))).toBe(wanted);
      const length = { "Content-Length": String(big.length) };
      const chunked = { "Transfer-Encoding": "chunked" };
      for (const headers of [length, chunked] as const) {
        const answer = await fetchBody(proxy.port, "/", {
          method: "POST",
          headers: { ...headers },
          body: big,
        });
        expect(answer.toString()).toBe(wanted);
        expect(proxy.recorder.last.requestBytes).toBe(big.length);
      }
      expect(proxy.recorder.requests[0]!.responseBytes).toBe(big.length);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test("30 MB both ways through async filters, arrive whole", async () => {
    const { server, port } = await hashing();
    try {
      const pass = async (): Promise<void> => {};
      const program = { requestBodyFilter: pass, responseBodyFilter: pass };
      await using proxy = await startProxy({ driver, to: [port], program });
      expect(hashOf(await fetchBody(proxy.port, "/length"))).toBe(hashOf(big));
      const answer = await fetchBody(proxy.port, "/", { method: "POST", body: big });
      expect(answer.toString()).toBe(hashOf(big));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test("a client that reads nothing of a download, stops the origin, then gets it whole", async () => {
    let written = 0;
    const total = 64 << 20;
    const block = Buffer.alloc(256 << 10, "d");
    await using origin = await ScriptedOrigin.start(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
      const more = (): void => {
        if (socket.destroyed || written === total) return;
        written += block.length;
        if (socket.write(block)) setImmediate(more);
        else socket.once("drain", more);
      };
      more();
      return undefined;
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    const request = httpRequest({ port: proxy.port, agent: false }).end();
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    let before = -1;
    await eventually("the origin stands still", () => {
      const still = written === before && written > 0;
      before = written;
      return still;
    });
    await aWhile(100);
    expect(written).toBeLessThan(32 << 20);
    let got = 0;
    for await (const chunk of answer) got += (chunk as Buffer).length;
    expect(got).toBe(total);
  });

  test("an origin that reads nothing of an upload, stops the client, then gets it whole", async () => {
    const total = 64 << 20;
    let taken = 0;
    let received = 0;
    await using origin = await RawOrigin.start((c, chunk) => {
      if (received === 0) {
        c.socket.pause();
        setTimeout(() => void (released && c.socket.resume()), 0);
      }
      received += chunk.length;
      c.received = "";
      if (received > total) c.socket.write(ok("all"));
    });
    let released = false;
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${total}\r\n\r\n`);
    const block = Buffer.alloc(1 << 20, "u");
    const sending = (async () => {
      while (taken < total) {
        await client.send(block);
        taken += block.length;
      }
    })();
    let before = -1;
    await eventually("the client stands still", () => {
      const still = taken === before && taken > 0;
      before = taken;
      return still;
    });
    await aWhile(100);
    expect(taken).toBeLessThan(32 << 20);
    released = true;
    origin.connections[0]!.socket.resume();
    await sending;
    expect((await client.response()).body.toString()).toBe("all");
  });

  test("server-sent events, each arrives before the next is sent", async () => {
    await using origin = await ScriptedOrigin.start(({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
      return undefined;
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(GET);
    await client.until((text) => text.includes("event-stream"));
    for (let i = 0; i < 20; i++) {
      origin.last.socket.write(`data: ${i}\n\n`);
      await client.until((text) => text.includes(`data: ${i}\n\n`));
    }
    origin.last.socket.end();
    const answer = await client.response();
    expect(answer.body.toString()).toBe(
      Array.from({ length: 20 }, (_, i) => `data: ${i}\n\n`).join(""),
    );
  });

  test("pieces of an upload, each arrives before the next is sent", async () => {
    await using origin = await RawOrigin.start(() => {});
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let i = 0; i < 20; i++) {
      await client.send(`6\r\npiece${i % 10}\r\n`);
      await eventually(
        "it is there",
        () => origin.connections[0]?.received.split("piece").length === i + 2,
      );
    }
    client.reset();
  });

  const leaving = [
    ["resets", (client: { reset(): void; halfClose(): void }) => client.reset()],
    ["closes", (client: { reset(): void; halfClose(): void }) => client.halfClose()],
  ] as const;
  describe.each(leaving)("the client %s", (_name, leave) => {
    test("while it waits, the upstream's work is cancelled", async () => {
      await using origin = await RawOrigin.start(() => {});
      await using proxy = await startProxy({ driver, to: [origin.port] });
      await using client = await proxy.client();
      await client.send(GET);
      await eventually(
        "the request is there",
        () => origin.connections[0]?.received.endsWith("\r\n\r\n") === true,
      );
      leave(client);
      await eventually("the origin sees it", () => origin.connections[0]!.ended !== "open");
      await eventually("it is over", () => proxy.recorder.requests.length === 1);
      expect(proxy.recorder.last.status).toBe(0);
      expect(proxy.recorder.last.source).toBe("downstream");
    });

    test("in the middle of a download, the upstream's work is cancelled", async () => {
      await using origin = await RawOrigin.start(
        (c) => void c.socket.write("HTTP/1.1 200 OK\r\n\r\npart"),
      );
      await using proxy = await startProxy({ driver, to: [origin.port] });
      await using client = await proxy.client();
      await client.send(GET);
      await client.until((text) => text.includes("part"));
      leave(client);
      await eventually("the origin sees it", () => origin.connections[0]!.ended !== "open");
      await eventually("it is over", () => proxy.recorder.requests.length === 1);
      expect(proxy.recorder.last.status).toBe(200);
      expect(proxy.recorder.last.source).toBe("downstream");
    });

    test("in the middle of its upload, the upstream's work is cancelled", async () => {
      await using origin = await RawOrigin.start(() => {});
      await using proxy = await startProxy({ driver, to: [origin.port] });
      await using client = await proxy.client();
      await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\npart");
      await eventually(
        "a part is there",
        () => origin.connections[0]?.received.endsWith("part") === true,
      );
      leave(client);
      await eventually("the origin sees it", () => origin.connections[0]!.ended !== "open");
      await eventually("it is over", () => proxy.recorder.requests.length === 1);
      expect(proxy.recorder.last.source).toBe("downstream");
    });
  });

  test("the client half-closes behind its request, where such clients are served: it is answered", async () => {
    await using origin = await RawOrigin.start(() => {});
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      listener: { halfClose: "serve" },
    });
    await using client = await proxy.client();
    await client.send(GET);
    client.halfClose();
    await eventually(
      "the request is there",
      () => origin.connections[0]?.received.endsWith("\r\n\r\n") === true,
    );
    await aWhile();
    expect(origin.connections[0]!.ended).toBe("open");
    origin.connections[0]!.socket.write(ok("anyway"));
    const answer = await client.response();
    expect(answer.body.toString()).toBe("anyway");
    expect(await client.untilEnd()).toBe("closed");
  });

  test("a client that takes nothing for the write timeout, is cut and the upstream's work cancelled", async () => {
    const block = Buffer.alloc(1 << 20);
    await using origin = await RawOrigin.start((c) => {
      c.socket.write("HTTP/1.1 200 OK\r\n\r\n");
      for (let i = 0; i < 64; i++) c.socket.write(block);
    });
    const listener = { timeouts: { write: millis(300) } };
    await using proxy = await startProxy({ driver, to: [origin.port], listener });
    await using client = await proxy.client();
    client.pause();
    await client.send(GET);
    await eventually("it is over", () => proxy.recorder.requests.length === 1);
    expect(proxy.recorder.last.error).toBe("WRITE_TIMEOUT");
    await eventually("the origin is cut", () => origin.connections[0]!.ended !== "open");
    client.resume();
  });
});
