import { expect, test } from "vitest";
import { exchange } from "../test/support/raw-http.ts";
import { App, nobody, startExample } from "./testing/running.ts";

test("mirror: it gets a copy of each request, and the client the application's answer", async () => {
  await using app = await App.start();
  await using mirror = await App.start((_request, response) => response.end("mirror"));
  const env = { APP: app.address, MIRROR: `http://${mirror.address}` };
  await using example = await startExample("mirror.ts", env);

  const page = await fetch(`${example.url}/a?b=c`, { headers: { "X-Mine": "1" } });
  expect(await page.text()).toBe("app");
  const headers = { "Content-Type": "text/plain" };
  const posted = await fetch(`${example.url}/post`, { method: "POST", headers, body: "body" });
  expect(await posted.text()).toBe("app");

  await expect.poll(() => mirror.received.length, { timeout: 5_000 }).toBe(2);
  const copies = mirror.received.toSorted((a, b) => (a.url < b.url ? -1 : 1));
  expect(copies.map(({ method, url, body }) => [method, url, body])).toEqual([
    ["GET", "/a?b=c", ""],
    ["POST", "/post", "body"],
  ]);
  expect(copies[0]?.headers["x-mine"]).toBe("1");
  expect(copies[0]?.headers["x-mirrored"]).toBe("1");
  expect(copies[1]?.headers["content-type"]).toBe("text/plain");
  expect(app.received.map(({ headers }) => headers["x-mirrored"])).toEqual([undefined, undefined]);
});

test("mirror: what is too large to keep is served and not copied", async () => {
  await using app = await App.start(({ body }, response) => response.end(`${body.length}`));
  await using mirror = await App.start();
  const env = { APP: app.address, MIRROR: `http://${mirror.address}` };
  await using example = await startExample("mirror.ts", env);
  const large = "x".repeat(2_000_000);
  const chunked = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 20; i++) controller.enqueue(Buffer.alloc(100_000));
      controller.close();
    },
  });

  const counted = await fetch(`${example.url}/large`, { method: "POST", body: large });
  expect(await counted.text()).toBe("2000000");
  const init = { method: "POST", body: chunked, duplex: "half" } as const;
  expect(await (await fetch(`${example.url}/chunked`, init)).text()).toBe("2000000");
  expect(await (await fetch(`${example.url}/small`, { method: "POST", body: "s" })).text()).toBe(
    "1",
  );
  await expect
    .poll(() => mirror.received.map(({ url }) => url), { timeout: 5_000 })
    .toEqual(["/small"]);
});

test("mirror: a target that names another host, is copied to the mirror alone", async () => {
  await using app = await App.start();
  await using mirror = await App.start();
  await using other = await App.start();
  const env = { APP: app.address, MIRROR: `http://${mirror.address}` };
  await using example = await startExample("mirror.ts", env);

  for (const target of [`//${other.address}/x`, `http://${other.address}/y`]) {
    const request = `GET ${target} HTTP/1.1\r\nHost: ${other.address}\r\nConnection: close\r\n\r\n`;
    expect((await exchange(example, [request])).text).toMatch(/^HTTP\/1\.1 200 /);
  }
  await expect
    .poll(() => mirror.received.map(({ url }) => url).sort(), { timeout: 5_000 })
    .toEqual([`//${other.address}/x`, "/y"]);
  expect(other.received).toEqual([]);
});

test("mirror: dead or silent, clients get their answers all the same", async () => {
  await using app = await App.start();
  await using silent = await App.start(() => undefined);
  for (const MIRROR of [`http://${await nobody()}`, `http://${silent.address}`]) {
    await using example = await startExample("mirror.ts", { APP: app.address, MIRROR });
    // More than are copied at once.
    for (let i = 0; i < 100; i++)
      expect(await (await fetch(`${example.url}/${i}`)).text()).toBe("app");
    expect(example.process.stderr).not.toMatch(/error|fault/i);
  }
  expect(app.received).toHaveLength(200);
});
