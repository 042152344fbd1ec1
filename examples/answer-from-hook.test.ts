import { expect, test } from "vitest";
import { App, nobody, startExample } from "./testing/running.ts";

test("answer from hook: health, blocked clients and all the rest", async () => {
  await using app = await App.start();
  await using example = await startExample("answer-from-hook.ts", { APP: app.address });

  const health = await fetch(`${example.url}/health`);
  expect(health.headers.get("content-type")).toBe("application/json");
  expect(await health.json()).toEqual({ ok: true });

  const headers = { "User-Agent": "Mozilla (compatible; BadBot/2.0)" };
  expect((await fetch(`${example.url}/page`, { headers })).status).toBe(403);
  expect(app.received).toEqual([]);

  expect(await (await fetch(`${example.url}/page`)).text()).toBe("app");
  expect(app.received.map(({ url }) => url)).toEqual(["/page"]);
});

test("answer from hook: in maintenance, 503 for all but the health check", async () => {
  await using app = await App.start();
  const env = { APP: app.address, MAINTENANCE: "1" };
  await using example = await startExample("answer-from-hook.ts", env);

  const page = await fetch(`${example.url}/page`);
  expect([page.status, page.headers.get("retry-after")]).toEqual([503, "120"]);
  expect(await page.text()).toBe("Back in two minutes.\n");
  expect((await fetch(`${example.url}/health`)).status).toBe(200);
  expect(app.received).toEqual([]);
});

test("answer from hook: with the application gone, an error as JSON", async () => {
  await using example = await startExample("answer-from-hook.ts", { APP: await nobody() });
  const page = await fetch(`${example.url}/page`);
  expect(page.status).toBe(502);
  expect(await page.json()).toEqual({ error: "ECONNREFUSED" });
});
