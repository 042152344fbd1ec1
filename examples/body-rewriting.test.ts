import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { App, type Reply, startExample } from "./testing/running.ts";

const page =
  "<a href='http://internal.example/a'>http://internal.example/</a> http://internal.example";
const rewritten =
  "<a href='https://www.example.com/a'>https://www.example.com/</a> http://internal.example";

/** Sends the page cut in two after `cut` bytes, the second part once the first has been passed on. */
const inTwo =
  (passedOn: () => Promise<void>): Reply =>
  async ({ url }, response) => {
    const cut = Number(url.slice(1));
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.setHeader("ETag", '"1"');
    response.write(page.slice(0, cut));
    await passedOn();
    response.end(page.slice(cut));
  };

test("body rewriting: a word cut in two at any byte by the network, is replaced", async () => {
  const passed = new Map<string, () => void>();
  await using app = await App.start((request, response) =>
    inTwo(() => new Promise((resolve) => passed.set(request.url, resolve)))(request, response),
  );
  await using example = await startExample("body-rewriting.ts", { APP: app.address });

  for (let cut = 24; cut < page.length; cut++) {
    const response = await fetch(`${example.url}/${cut}`);
    expect(response.headers.get("etag")).toBeNull();
    const reader = response.body!.getReader();
    // Of 24 bytes some are never held back: they arrive while the rest is not even sent.
    const first = await reader.read();
    passed.get(`/${cut}`)!();
    let text = Buffer.from(first.value!).toString();
    for (let more = await reader.read(); !more.done; more = await reader.read()) {
      text += Buffer.from(more.value).toString();
    }
    expect(text, `cut after ${cut} bytes`).toBe(rewritten);
  }
  expect(app.received[0]?.headers["accept-encoding"]).toBe("identity");
});

test("body rewriting: what is no page, compressed or a part, is left alone or asked for whole", async () => {
  await using app = await App.start(({ url }, response) => {
    const zipped = url === "/zipped";
    response.setHeader("Content-Type", url === "/text" ? "text/plain" : "text/html");
    response.setHeader("ETag", '"1"');
    if (zipped) response.setHeader("Content-Encoding", "gzip");
    response.end(zipped ? gzipSync(page) : page);
  });
  await using example = await startExample("body-rewriting.ts", { APP: app.address });

  const text = await fetch(`${example.url}/text`);
  expect(text.headers.get("etag")).toBe('"1"');
  expect(text.headers.get("content-length")).toBe(`${page.length}`);
  expect(await text.text()).toBe(page);
  expect(await (await fetch(`${example.url}/zipped`)).text()).toBe(page);
  const part = await fetch(`${example.url}/part`, { headers: { Range: "bytes=0-9" } });
  expect(await part.text()).toBe(rewritten);
  expect(app.received.at(-1)?.headers.range).toBeUndefined();
});
