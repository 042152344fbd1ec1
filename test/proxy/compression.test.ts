import { brotliDecompressSync, gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  type CompressionOptions,
  createCompression,
} from "../../src/proxy/compression/compression.ts";
import type { ProxyProgram } from "../../src/proxy/program.ts";
import { chunks, ok, response, ScriptedOrigin } from "./origin.ts";
import { drivers, startProxy } from "./support.ts";

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
});
