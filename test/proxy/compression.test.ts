import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  createGunzip,
  gunzipSync,
  gzipSync,
  zstdDecompressSync,
} from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  type CompressionOptions,
  createCompression,
} from "../../src/proxy/compression/compression.ts";
import type { ProxyProgram } from "../../src/proxy/program.ts";
import { startProcess } from "../support/processes.ts";
import type { RawClient } from "../support/raw-http.ts";
import { requireTool } from "../support/tools.ts";
import { chunks, ok, response, ScriptedOrigin } from "./origin.ts";
import { aWhile, drivers, eventually, startProxy } from "./support.ts";

const page = Array.from({ length: 3_000 }, (_, i) => `<li>Item ${i * 7919}</li>\n`).join("");

const decoders = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

const program = (options?: CompressionOptions): Partial<ProxyProgram> => {
  const compression = createCompression(options);
  return { compression: () => compression };
};

const get = (...fields: readonly string[]): string =>
  `GET / HTTP/1.1\r\nHost: h\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n`;

const html = "Content-Type: text/html";
const chunked = "Transfer-Encoding: chunked";
const head = (...fields: readonly string[]): string =>
  `HTTP/1.1 200 OK\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

/** What a client can make of a gzip body that has come so far, chunked. */
function decodedSoFar(client: RawClient): string {
  const text = client.bytes.toString("latin1");
  let rest = text.slice(text.indexOf("\r\n\r\n") + 4);
  let body = "";
  for (let found = /^([0-9a-f]+)\r\n/.exec(rest); found; found = /^([0-9a-f]+)\r\n/.exec(rest)) {
    const length = Number.parseInt(found[1]!, 16);
    const start = found[0].length;
    if (length === 0 || rest.length < start + length) break;
    body += rest.slice(start, start + length);
    rest = rest.slice(start + length + 2);
  }
  if (body === "") return "";
  const options = { finishFlush: constants.Z_SYNC_FLUSH };
  return gunzipSync(Buffer.from(body, "latin1"), options).toString("latin1");
}

describe.each(drivers)("compression (%s)", (driver) => {
  test.each(["gzip", "br", "zstd"] as const)(
    "a page for a client that accepts %s, comes in it, on one connection again and again",
    async (coding) => {
      await using origin = await ScriptedOrigin.start(() => ok(page, html, 'ETag: "v1"'));
      await using proxy = await startProxy({ driver, to: [origin.port], program: program() });
      await using client = await proxy.client();
      for (let i = 0; i < 3; i++) {
        await client.send(get(`Accept-Encoding: ${coding}`));
        const answer = await client.response();
        expect(answer.header("content-encoding")).toBe(coding);
        expect(answer.header("content-length")).toBeNull();
        expect(answer.header("vary")).toBe("Accept-Encoding");
        expect(answer.header("etag")).toBe('W/"v1~z"');
        expect(decoders[coding](answer.body).toString()).toBe(page);
      }
      expect(origin.connections.length).toBe(1);
      expect(proxy.recorder.coded).toHaveLength(3);
      expect(proxy.recorder.coded[0]).toMatchObject({ direction: "encode", bytesIn: page.length });
    },
  );

  test("a coded page for a client that accepts another, is decoded and coded anew; trailers pass", async () => {
    const coded = gzipSync(page).toString("latin1");
    await using origin = await ScriptedOrigin.start(
      () =>
        `HTTP/1.1 200 OK\r\n${html}\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n${chunks([coded.slice(0, 7), coded.slice(7)], "X-T: 1", "Content-Digest: x")}`,
    );
    await using proxy = await startProxy({ driver, to: [origin.port], program: program() });
    await using client = await proxy.client();
    await client.send(get("Accept-Encoding: br"));
    const other = await client.response();
    expect(other.header("content-encoding")).toBe("br");
    expect(brotliDecompressSync(other.body).toString()).toBe(page);
    expect(other.trailers).toEqual([["X-T", "1"]]);
    await client.send(get());
    const plain = await client.response();
    expect(plain.header("content-encoding")).toBeNull();
    expect(plain.header("vary")).toBe("Accept-Encoding");
    expect(plain.body.toString()).toBe(page);
    await client.send(get("Accept-Encoding: gzip"));
    const same = await client.response();
    expect(same.body.toString("latin1")).toBe(coded);
  });

  test("no compression for a session, nothing is changed and nothing counted", async () => {
    await using origin = await ScriptedOrigin.start(() => ok(page, html, 'ETag: "v1"'));
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: { compression: () => null },
    });
    await using client = await proxy.client();
    await client.send(get("Accept-Encoding: gzip"));
    const answer = await client.response();
    expect(answer.header("content-length")).toBe(String(page.length));
    expect(answer.header("vary")).toBeNull();
    expect(answer.body.toString()).toBe(page);
    expect(proxy.recorder.coded).toEqual([]);
  });

  test("HEAD and an http/1.0 client, the same head as GET, and an end by closing", async () => {
    await using origin = await ScriptedOrigin.start(({ line }) =>
      line.startsWith("HEAD") ? head(html, "Content-Length: 5000") : ok(page, html),
    );
    await using proxy = await startProxy({ driver, to: [origin.port], program: program() });
    await using client = await proxy.client();
    await client.send(get("Accept-Encoding: gzip").replace("GET", "HEAD"));
    const bodiless = await client.response("HEAD");
    expect(bodiless.header("content-encoding")).toBe("gzip");
    expect(bodiless.header("content-length")).toBeNull();
    await client.send(get("Accept-Encoding: gzip").replace("1.1", "1.0"));
    const answer = await client.response();
    expect(answer.header("transfer-encoding")).toBeNull();
    expect(gunzipSync(answer.body).toString()).toBe(page);
  });

  test("a tag of ours sent back, the origin sees its own and the client's copy holds", async () => {
    await using origin = await ScriptedOrigin.start((request) =>
      request.header("if-none-match") === '"v1"'
        ? 'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n'
        : ok(page, html, 'ETag: "v1"'),
    );
    await using proxy = await startProxy({ driver, to: [origin.port], program: program() });
    await using client = await proxy.client();
    await client.send(get("Accept-Encoding: gzip"));
    const tag = (await client.response()).header("etag")!;
    await client.send(get("Accept-Encoding: gzip", `If-None-Match: ${tag}`));
    const answer = await client.response();
    expect(answer.status).toBe(304);
    expect(answer.header("etag")).toBe(tag);
    await client.send(get("Accept-Encoding: gzip", `If-Match: ${tag}`));
    await client.response();
    expect(origin.last.header("if-match")).toBe('"v1"');
  });

  test.each([
    ["text/event-stream", "data: 1\n\n", "data: 2\n\n"],
    ["text/html", "<p>first", "<p>second"],
  ])("%s that comes slowly, each piece arrives before the next is sent", async (type, one, two) => {
    let more = (_text: string): void => undefined;
    await using origin = await ScriptedOrigin.start(({ socket }) => {
      more = (text) => void socket.write(text);
      return head(`Content-Type: ${type}`, chunked) + chunk(one);
    });
    await using proxy = await startProxy({ driver, to: [origin.port], program: program() });
    await using client = await proxy.client();
    await client.send(get("Accept-Encoding: gzip"));
    await client.until(() => decodedSoFar(client) === one);
    more(chunk(two));
    await client.until(() => decodedSoFar(client) === one + two);
    more("0\r\n\r\n");
    expect(gunzipSync((await client.response()).body).toString()).toBe(one + two);
  });

  test("events that the upstream sent coded, arrive one by one, the head first of all", async () => {
    const zip = (text: string): string => gzipSync(text).toString("latin1");
    let more = (_text: string): void => undefined;
    await using origin = await ScriptedOrigin.start(({ socket }) => {
      more = (text) => void socket.write(Buffer.from(text, "latin1"));
      return head("Content-Type: text/event-stream", "Content-Encoding: gzip", chunked);
    });
    await using proxy = await startProxy({ driver, to: [origin.port], program: program() });
    await using client = await proxy.client();
    await client.send(get());
    await client.until((text) => text.includes("\r\n\r\n"));
    more(chunk(zip("data: 1\n\n")));
    await client.until((text) => text.includes("data: 1"));
    more(`${chunk(zip("data: 2\n\n"))}0\r\n\r\n`);
    expect((await client.response()).body.toString()).toBe("data: 1\n\ndata: 2\n\n");
  });

  test.each(["sync", "async"])(
    "decompress, a %s body hook sees plain text and the client gets it coded",
    async (style) => {
      await using origin = await ScriptedOrigin.start(() =>
        ok(brotliCompressSync(page).toString("latin1"), html, "Content-Encoding: br"),
      );
      let seen = "";
      let encoding: string | undefined = "none seen";
      const upper = (piece: Uint8Array | null): Uint8Array | null => {
        const text = Buffer.from(piece ?? []).toString();
        seen += text;
        return piece === null ? null : Buffer.from(text.toUpperCase());
      };
      await using proxy = await startProxy({
        driver,
        to: [origin.port],
        program: {
          ...program({ decompress: true }),
          responseFilter: ({ response }) => {
            encoding = response!.headers.get("content-encoding");
          },
          responseBodyFilter: (_s, piece) =>
            style === "sync" ? upper(piece) : aWhile(1).then(() => upper(piece)),
        },
      });
      await using client = await proxy.client();
      for (let i = 0; i < 2; i++) {
        seen = "";
        await client.send(get("Accept-Encoding: gzip"));
        const answer = await client.response();
        expect(encoding).toBeUndefined();
        expect(seen).toBe(page);
        expect(answer.header("content-encoding")).toBe("gzip");
        expect(gunzipSync(answer.body).toString()).toBe(page.toUpperCase());
      }
      expect(origin.last.header("accept-encoding")).toBe("identity");
      expect(origin.connections.length).toBe(1);
    },
  );
});

describe.each(drivers)("compression, hostile and unlucky (%s)", (driver) => {
  test("an upstream cut mid-stream, the client is not left with a whole body", async () => {
    await using origin = await ScriptedOrigin.start(({ socket }) => {
      socket.write(head(html, "Content-Length: 500000") + page.slice(0, 30_000));
      void eventually("the head is through", () => reached).then(() => socket.destroy());
      return undefined;
    });
    let reached = false;
    await using proxy = await startProxy({ driver, to: [origin.port], program: program() });
    await using client = await proxy.client();
    await client.send(get("Accept-Encoding: gzip"));
    await client.until((text) => text.includes("\r\n\r\n"));
    reached = true;
    await client.untilEnd();
    expect(client.answer().text).not.toContain("\r\n0\r\n\r\n");
    expect(proxy.recorder.last.error).not.toBeNull();
  });

  test("a coded body that ends too early in a whole message, is 502 or cut", async () => {
    const coded = gzipSync(page).toString("latin1").slice(0, -8);
    await using origin = await ScriptedOrigin.start(() =>
      ok(coded, html, "Content-Encoding: gzip"),
    );
    await using proxy = await startProxy({ driver, to: [origin.port], program: program() });
    await using client = await proxy.client();
    await client.send(get());
    await client.untilEnd();
    expect(client.answer().text).not.toContain("\r\n0\r\n\r\n");
    expect(proxy.recorder.last.error).toBe("MALFORMED_MESSAGE");
  });

  test("what is not in the coding that it claims, is answered 502 and the next is served", async () => {
    await using origin = await ScriptedOrigin.start(({ line }) =>
      line.startsWith("GET / ")
        ? ok("plain after all".repeat(9), html, "Content-Encoding: gzip")
        : ok("fine"),
    );
    await using proxy = await startProxy({ driver, to: [origin.port], program: program() });
    await using client = await proxy.client();
    await client.send(get());
    expect((await client.response()).status).toBe(502);
    await client.send(get().replace("/", "/next"));
    expect((await client.response()).body.toString()).toBe("fine");
  });

  test("a bomb, grows no further than the limit allows and is counted as the upstream's fault", async () => {
    const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
    const bomb = brotliCompressSync(Buffer.alloc(64 << 20), quick).toString("latin1");
    expect(bomb.length).toBeLessThan(1_000);
    await using origin = await ScriptedOrigin.start(() => ok(bomb, html, "Content-Encoding: br"));
    await using proxy = await startProxy({ driver, to: [origin.port], program: program() });
    await using client = await proxy.client();
    await client.send(get());
    await client.untilEnd();
    expect(client.bytes.length).toBeLessThan(1.2 * 1024 * 1024);
    expect(proxy.recorder.last).toMatchObject({ error: "BODY_TOO_LARGE" });
  });

  test("a bomb past a small size, is answered 502 before any of it goes out", async () => {
    const limits = { decodedSize: 10_000, ratio: 1_000 };
    await using origin = await ScriptedOrigin.start(() =>
      ok(gzipSync(Buffer.alloc(1 << 20)).toString("latin1"), html, "Content-Encoding: gzip"),
    );
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: program({ limits }),
    });
    await using client = await proxy.client();
    await client.send(get());
    expect((await client.response()).status).toBe(502);
  });

  test("a client that leaves mid-stream, the codecs go and the upstream is let go", async () => {
    let closed = false;
    await using origin = await ScriptedOrigin.start(({ socket }) => {
      socket.on("close", () => {
        closed = true;
      });
      return head(html, chunked) + chunk(page);
    });
    await using proxy = await startProxy({ driver, to: [origin.port], program: program() });
    const client = await proxy.client();
    await client.send(get("Accept-Encoding: gzip"));
    await client.until(() => decodedSoFar(client).length > 0);
    client.reset();
    await eventually("the upstream is let go", () => closed);
    expect(proxy.recorder.coded).toHaveLength(1);
    await client[Symbol.asyncDispose]();
  });

  test("all encoders in use, a further body goes as it is; one that is given back is used again", async () => {
    await using origin = await ScriptedOrigin.start(({ line }) =>
      line.includes("/endless") ? head(html, chunked) + chunk(page) : ok(page, html),
    );
    const limits = { encoders: 1 };
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: program({ limits }),
    });
    const first = await proxy.client();
    await first.send(get("Accept-Encoding: gzip").replace("/", "/endless"));
    await first.until(() => decodedSoFar(first).length > 0);
    await using second = await proxy.client();
    await second.send(get("Accept-Encoding: gzip"));
    const plain = await second.response();
    expect(plain.body.toString()).toBe(page);
    expect(plain.header("vary")).toBe("Accept-Encoding");
    first.reset();
    await eventually("the encoder is given back", () => proxy.recorder.coded.length === 1);
    await second.send(get("Accept-Encoding: gzip"));
    expect(gunzipSync((await second.response()).body).toString()).toBe(page);
    await first[Symbol.asyncDispose]();
  });

  test("a client that takes nothing, stops the upstream; then it gets everything", async () => {
    const total = 24 << 20;
    const noise = Buffer.alloc(1 << 16);
    for (let i = 0; i < noise.length; i++) noise[i] = (i * 2_654_435_761) >>> 24;
    let sent = 0;
    await using origin = await ScriptedOrigin.start(({ socket }) => {
      socket.write(head(html, `Content-Length: ${total}`));
      const go = (): void => {
        while (sent < total) {
          const varied = Buffer.from(noise.map((byte) => byte ^ (sent >> 16)));
          sent += varied.length;
          if (!socket.write(varied)) {
            socket.once("drain", go);
            return;
          }
        }
      };
      go();
      return undefined;
    });
    // Level 1 of random-looking bytes: about as much comes out as goes in.
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: program({ level: 1 }),
    });
    await using client = await proxy.client();
    client.pause();
    await client.send(get("Accept-Encoding: gzip"));
    let before = -1;
    await eventually("the upstream stands still", () => {
      const still = sent === before && sent > 0;
      before = sent;
      return still;
    });
    await aWhile(100);
    const stalled = sent;
    client.resume();
    const unzip = createGunzip();
    const answer = await client.response();
    unzip.end(answer.body);
    let length = 0;
    for await (const piece of unzip) length += (piece as Buffer).length;
    expect(length).toBe(total);
    expect(stalled).toBeLessThan(total);
  });
});

test("curl --compressed, gets pages in each coding that it knows, from nothing to a megabyte", async (context) => {
  const command = requireTool("curl", context);
  const bodies = new Map([
    ["/none", ""],
    ["/short", "short"],
    ["/page", page],
    ["/large", page.repeat(20)],
  ]);
  await using origin = await ScriptedOrigin.start(({ line }) =>
    response(200, bodies.get(line.split(" ")[1]!) ?? "", html),
  );
  for (const coding of ["gzip", "br", "zstd"] as const) {
    const own = program({ encodings: [coding] });
    await using proxy = await startProxy({ driver: "node", to: [origin.port], program: own });
    for (const [path, body] of bodies) {
      const url = `http://127.0.0.1:${proxy.port}${path}`;
      const args = ["-sS", "--max-time", "20", "--compressed", url];
      const running = await startProcess({ command, args });
      await running.exited;
      expect(running.stdout).toBe(body);
    }
    expect(proxy.recorder.coded.map((one) => one.coding)).toEqual([coding, coding]);
  }
});
