import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningProcess } from "../support/processes.ts";
import { ask, listening, portOf, startMillrace, TemporaryFolder } from "./millrace.ts";

const origin = createServer((_, response) => response.end("hello\n"));
const folder = new TemporaryFolder();
let millrace: RunningProcess;
let port = 0;
let admin = 0;
let to = "";

beforeAll(async () => {
  to = `127.0.0.1:${await listening(origin)}`;
  const file = folder.write(
    "millrace.yaml",
    `workers: 2
admin: { listen: "127.0.0.1:0" }
log: { access: off }
listeners:
  - name: web
    listen: 127.0.0.1:0
    routes: [{ upstream: app, requestHeaders: { set: { Authorization: "Bearer hidden" } } }]
upstreams: { app: { endpoints: ["${to}"] } }
`,
  );
  millrace = await startMillrace("proxy", file);
  port = portOf(millrace, "listener");
  admin = portOf(millrace, "admin");
});
afterAll(async () => {
  await millrace?.stop();
  folder[Symbol.dispose]();
  origin.close();
  origin.closeAllConnections();
});

test("serving, health, readiness and the index, are as they should be", async () => {
  expect(await ask({ port: admin, path: "/healthz" })).toMatchObject({ status: 200, body: "ok\n" });
  expect(await ask({ port: admin, path: "/readyz" })).toMatchObject({ status: 200 });
  const index = await ask({ port: admin, path: "/" });
  for (const path of ["/healthz", "/readyz", "/metrics", "/config", "/upstreams"]) {
    expect(index.body).toContain(path);
  }
});

test("requests to two workers, scraped, are all counted", async () => {
  const count = (text: string): number =>
    Number(/millrace_http_requests_total\{listener="web",code="200"\} (\d+)/.exec(text)?.[1] ?? 0);
  const before = count((await ask({ port: admin, path: "/metrics" })).body);
  for (let i = 0; i < 20; i++) expect((await ask({ port })).body).toBe("hello\n");
  const scrape = await ask({ port: admin, path: "/metrics" });
  expect(count(scrape.body) - before).toBe(20);
  expect(scrape.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(scrape.body).toMatch(/^process_resident_memory_bytes \d+$/m);
  expect(scrape.body).toContain("\nmillrace_workers_ready 2\n");
  for (const line of scrape.body.trimEnd().split("\n")) {
    expect(line).toMatch(/^(# (HELP|TYPE) [a-z0-9_]+ .+|[a-z0-9_]+(\{.*\})? \S+)$/);
  }
});

test("the configuration, asked for, is complete and hides secrets", async () => {
  const { body, headers } = await ask({ port: admin, path: "/config" });
  expect(headers["content-type"]).toBe("application/json");
  expect(JSON.parse(body)).toMatchObject({ workers: 2, listeners: [{ name: "web" }] });
  expect(body).not.toContain("hidden");
});

test("upstreams, asked for, show both workers' endpoints together", async () => {
  const { body } = await ask({ port: admin, path: "/upstreams" });
  expect(JSON.parse(body)).toMatchObject({
    workers: 2,
    upstreams: [{ name: "app", endpoints: [{ address: to, states: { up: 2 } }] }],
  });
});

test("other methods and paths, asked, get 405 with Allow, 404, and HEAD without a body", async () => {
  const post = await ask({ port: admin, path: "/metrics", method: "POST" });
  expect([post.status, post.headers.allow]).toEqual([405, "GET, HEAD"]);
  expect((await ask({ port: admin, path: "/nowhere" })).status).toBe(404);
  const head = await ask({ port: admin, path: "/healthz", method: "HEAD" });
  expect([head.status, head.body, head.headers["content-length"]]).toEqual([200, "", "3"]);
});

test("a Host that a name server decides, on loopback, is refused", async () => {
  const status = async (host: string) =>
    (await ask({ port: admin, path: "/config", headers: { Host: host } })).status;
  expect(await status("rebound.example")).toBe(403);
  expect(await status("127.0.0.1.rebound.example:80")).toBe(403);
  expect(await status("localhost:9901")).toBe(200);
  expect(await status("[::1]")).toBe(200);
});

test("an admin on a Unix socket, asked, answers", async () => {
  const socketPath = join(folder.path, "admin.sock");
  await using other = await startMillrace(
    ...["proxy", "--listen", "127.0.0.1:0", "--to", to, "--admin", `unix:${socketPath}`],
  );
  expect(other.running).toBe(true);
  expect((await ask({ socketPath, path: "/readyz" })).body).toBe("ready\n");
});
