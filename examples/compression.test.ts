import { request } from "node:http";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { App, startExample } from "./testing/running.ts";

const text = "All work and no play makes a dull page. ".repeat(200);

interface Got {
  readonly coding: string | undefined;
  readonly vary: string | undefined;
  readonly body: Buffer;
}

/** What comes on the wire, not decoded as `fetch` does. */
const get = (port: number, path: string, accept: string): Promise<Got> =>
  new Promise((resolve, reject) => {
    const headers = { "Accept-Encoding": accept };
    const sent = request({ host: "127.0.0.1", port, path, headers }, async (response) => {
      const pieces: Buffer[] = [];
      for await (const piece of response) pieces.push(piece as Buffer);
      const { "content-encoding": coding, vary } = response.headers;
      resolve({ coding, vary, body: Buffer.concat(pieces) });
    });
    sent.on("error", reject);
    sent.end();
  });

test("compression: each client gets what it accepts, each route what it says", async () => {
  await using app = await App.start(({ url }, response) => {
    response.setHeader("Content-Type", url.endsWith(".png") ? "image/png" : "text/css");
    response.end(url === "/assets/small" ? text.slice(0, 600) : text);
  });
  await using example = await startExample("compression.yaml", { APP: app.address });
  const { port } = example;

  const modern = await get(port, "/", "gzip, deflate, br, zstd");
  expect(modern).toMatchObject({ coding: "zstd", vary: "Accept-Encoding" });
  expect(zstdDecompressSync(modern.body).toString()).toBe(text);
  const older = await get(port, "/", "gzip, deflate");
  expect(older.coding).toBe("gzip");
  expect(gunzipSync(older.body).toString()).toBe(text);
  const plain = await get(port, "/", "identity");
  expect(plain).toMatchObject({ coding: undefined, vary: "Accept-Encoding" });
  expect(plain.body.toString()).toBe(text);

  const asset = await get(port, "/assets/small", "gzip, deflate, br, zstd");
  expect(asset.coding).toBe("br");
  expect(brotliDecompressSync(asset.body).toString()).toBe(text.slice(0, 600));
  expect((await get(port, "/account", "gzip")).coding).toBeUndefined();
  expect((await get(port, "/logo.png", "gzip")).coding).toBeUndefined();
});
