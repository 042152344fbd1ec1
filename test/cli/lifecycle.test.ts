import { createServer, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { freePort } from "../support/ports.ts";
import { ask, listening, portOf, startMillrace, TemporaryFolder, until } from "./millrace.ts";

/** An origin that answers /slow only when told to. */
const held: ServerResponse[] = [];
const origin = createServer((request, response) => {
  if (request.url === "/slow") held.push(response);
  else response.end("hello\n");
});
let to = "";

beforeAll(async () => {
  to = `127.0.0.1:${await listening(origin)}`;
});
beforeEach(() => {
  for (const response of held.splice(0)) response.destroy();
});
afterAll(() => {
  origin.close();
  origin.closeAllConnections();
});

const start = (...more: readonly string[]) =>
  startMillrace("proxy", "--listen", "127.0.0.1:0", "--to", to, "--admin", "127.0.0.1:0", ...more);

test("serving, SIGTERM with a request under way, finishes it, takes no other and exits 0", async () => {
  await using millrace = await start("--workers", "2");
  const port = portOf(millrace, "listener");
  const admin = portOf(millrace, "admin");
  const answer = ask({ port, path: "/slow" });
  await until("the origin has the request", () => held.length === 1);
  millrace.signal("SIGTERM");
  await millrace.waitForOutput(/draining/);
  await until("new connections are refused", () =>
    ask({ port }).then(
      () => false,
      () => true,
    ),
  );
  expect((await ask({ port: admin, path: "/readyz" })).status).toBe(503);
  expect((await ask({ port: admin, path: "/healthz" })).status).toBe(200);
  expect(millrace.running).toBe(true);
  held[0]!.end("late\n");
  const { status, headers, body } = await answer;
  expect([status, headers.connection, body]).toEqual([200, "close", "late\n"]);
  expect(await millrace.exited).toEqual({ code: 0, signal: null });
});

test("draining, the deadline passes, cuts what is left and exits 0", async () => {
  using folder = new TemporaryFolder();
  const file = folder.write(
    "millrace.yaml",
    `admin: off
workers: 1
drain: { timeout: 300ms }
listeners: [{ listen: "127.0.0.1:0", routes: [{ upstream: app }] }]
upstreams: { app: { endpoints: ["${to}"] } }
`,
  );
  await using millrace = await startMillrace("proxy", file);
  const answer = ask({ port: portOf(millrace, "listener"), path: "/slow" });
  const cut = expect(answer).rejects.toThrow();
  await until("the origin has the request", () => held.length === 1);
  millrace.signal("SIGTERM");
  await cut;
  expect(await millrace.exited).toEqual({ code: 0, signal: null });
});

test("serving, SIGINT with a request that never ends, exits 0 without waiting for the drain", async () => {
  await using millrace = await start("--workers", "1");
  const cut = expect(ask({ port: portOf(millrace, "listener"), path: "/slow" })).rejects.toThrow();
  await until("the origin has the request", () => held.length === 1);
  millrace.signal("SIGINT");
  expect(await millrace.exited).toEqual({ code: 0, signal: null });
  await cut;
});

test("draining, a second signal, ends at once with the signal's status", async () => {
  await using millrace = await start("--workers", "1");
  const cut = expect(ask({ port: portOf(millrace, "listener"), path: "/slow" })).rejects.toThrow();
  await until("the origin has the request", () => held.length === 1);
  millrace.signal("SIGTERM");
  await millrace.waitForOutput(/draining/);
  // Signals within 0.2 s of the first count as its echo.
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(millrace.running).toBe(true);
  millrace.signal("SIGTERM");
  expect(await millrace.exited).toEqual({ code: 143, signal: null });
  await cut;
});

test("draining, the same signal twice in a moment as from a terminal and npm, goes on draining", async () => {
  await using millrace = await start("--workers", "1");
  const answer = ask({ port: portOf(millrace, "listener"), path: "/slow" });
  await until("the origin has the request", () => held.length === 1);
  millrace.signal("SIGTERM");
  millrace.signal("SIGTERM");
  await millrace.waitForOutput(/draining/);
  held[0]!.end("late\n");
  expect((await answer).body).toBe("late\n");
  expect(await millrace.exited).toEqual({ code: 0, signal: null });
});

test("serving, SIGHUP, says what it reads again and goes on", async () => {
  await using millrace = await start("--workers", "1");
  millrace.signal("SIGHUP");
  await millrace.waitForOutput(/all else needs a restart/);
  expect((await ask({ port: portOf(millrace, "listener") })).body).toBe("hello\n");
});

const crashing = (upstream: string): string => `
import { defineProxy } from "millrace";
export default defineProxy({
  listeners: [{ listen: "127.0.0.1:0" }],
  upstreams: { app: { endpoints: ["${upstream}"] } },
  requestFilter(session) {
    if (session.request.path === "/crash") setTimeout(() => { throw new Error("boom") });
    if (session.request.path === "/hang") for (;;);
    if (session.request.path === "/hoard") for (const kept = []; ; ) kept.push(new Array(1e6).fill({}));
    if (session.request.path === "/throw") throw new Error("only this one");
  },
  upstreamPeer: () => "app",
});
`;

test.each([
  ["throws outside of a request", "/crash", /worker \d ended: Error: boom/],
  ["runs out of memory", "/hoard", /worker \d ended: .*memory/],
])(
  "two workers, one %s, is logged and replaced while the other serves",
  async (_how, path, said) => {
    using folder = new TemporaryFolder();
    const file = folder.write("app.ts", crashing(to));
    vi.stubEnv("NODE_OPTIONS", "--max-old-space-size=80"); // so that memory runs out soon
    await using millrace = await startMillrace(
      ...["proxy", file, "--workers", "2", "--admin", "127.0.0.1:0", "--access-log", "off"],
    );
    vi.unstubAllEnvs();
    const port = portOf(millrace, "listener");
    const admin = portOf(millrace, "admin");
    const metrics = async () => (await ask({ port: admin, path: "/metrics" })).body;
    expect((await ask({ port })).status).toBe(200);
    await ask({ port, path }).catch(() => {});
    await millrace.waitForOutput(said);
    await until("the worker is replaced", async () =>
      (await metrics()).includes("\nmillrace_worker_restarts_total 1\n"),
    );
    await until("every worker is ready", async () => {
      return (await ask({ port: admin, path: "/readyz" })).status === 200;
    });
    // Were the dead worker's socket still there, the kernel would hand it half of these.
    for (let i = 0; i < 30; i++) expect((await ask({ port })).status).toBe(200);
  },
);

test("a hook that throws, asked, costs its request 500 and no more", async () => {
  using folder = new TemporaryFolder();
  const file = folder.write("app.ts", crashing(to));
  await using millrace = await startMillrace("proxy", file, "--workers", "1", "--admin", "off");
  const port = portOf(millrace, "listener");
  expect((await ask({ port, path: "/throw" })).status).toBe(500);
  expect((await ask({ port })).status).toBe(200);
  await millrace.waitForOutput(/only this one/);
  expect(millrace.stderr).not.toContain("ended");
});

test("a worker that hangs, two signals, do not keep the process alive", async () => {
  using folder = new TemporaryFolder();
  const file = folder.write("app.ts", crashing(to));
  await using millrace = await startMillrace("proxy", file, "--workers", "1", "--admin", "off");
  const cut = expect(ask({ port: portOf(millrace, "listener"), path: "/hang" })).rejects.toThrow();
  await new Promise((resolve) => setTimeout(resolve, 300));
  millrace.signal("SIGTERM");
  await millrace.waitForOutput(/draining/);
  await new Promise((resolve) => setTimeout(resolve, 300));
  millrace.signal("SIGTERM");
  const { code, signal } = await millrace.exited;
  expect(signal ?? code).toBe("SIGTERM");
  await cut;
});

test("a closed standard output and error, requests, are served and logged nowhere", async () => {
  const port = await freePort();
  const { spawn } = await import("node:child_process");
  const bin = new URL("../../bin/millrace.mjs", import.meta.url).pathname;
  const args = [bin, "proxy", "--listen", `127.0.0.1:${port}`, "--to", to, "--admin", "off"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  try {
    child.stdout.destroy();
    child.stderr.destroy();
    await until("it listens", () => accepts(port));
    for (let i = 0; i < 5; i++) expect((await ask({ port })).status).toBe(200);
    // Long enough for a batch of the log to meet the closed pipe.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await ask({ port })).status).toBe(200);
  } finally {
    child.kill("SIGTERM");
  }
  expect(await ended).toBe(0);
});

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
