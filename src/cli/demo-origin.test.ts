import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DemoOrigin, startDemoOrigin } from "./demo-origin.ts";

let origin: DemoOrigin;
let base = "";
beforeAll(async () => {
  origin = await startDemoOrigin();
  base = `http://127.0.0.1:${(origin.address as { port: number }).port}`;
});
afterAll(() => origin.close());

test("the front page, with a hostile header, shows it escaped", async () => {
  const page = await (await fetch(base, { headers: { "X-Try": "<script>&'\"" } })).text();
  expect(page).toContain("&lt;script&gt;&amp;&#39;&quot;");
  expect(page).not.toContain("<script>");
});

test("echo, with and without a body, gives the body or the request", async () => {
  const posted = await fetch(`${base}/echo`, { method: "POST", body: "text" });
  expect(await posted.text()).toBe("text");
  expect(await (await fetch(`${base}/echo`)).json()).toMatchObject({ method: "GET", url: "/echo" });
});

test("bytes, statuses and unknown paths, asked, are what was asked for", async () => {
  expect((await (await fetch(`${base}/bytes/200000`)).arrayBuffer()).byteLength).toBe(200_000);
  for (const status of [204, 304, 404, 503]) {
    expect((await fetch(`${base}/status/${status}`)).status).toBe(status);
  }
  expect((await fetch(`${base}/status/99`)).status).toBe(400);
  expect((await fetch(`${base}/nowhere`)).status).toBe(404);
  expect(await (await fetch(`${base}/slow?ms=1`)).text()).toBe("that took 1 ms\n");
});

test("events, subscribed to, begin at once", async () => {
  const response = await fetch(`${base}/sse`);
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  expect(new TextDecoder().decode(value)).toBe("id: 1\ndata: tick 1\n\n");
  await reader.cancel();
});

test("a target that is no URL, asked for, is answered as the path that it starts with", async () => {
  const { port } = origin.address as { port: number };
  const status = await new Promise((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", path: "//:x" }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on("error", reject);
    sent.end();
  });
  expect(status).toBe(200);
});
