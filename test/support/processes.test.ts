import { spawnSync } from "node:child_process";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { Nginx } from "./nginx.ts";
import { freePort } from "./ports.ts";
import { startProcess } from "./processes.ts";
import { exchange } from "./raw-http.ts";
import { findTool, haveTools, requireAll, requireTool } from "./tools.ts";

const node = process.execPath;

function refused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => resolve(socket.destroy() === null));
    socket.once("error", () => resolve(true));
  });
}

test("process: listens late, start waits for the port and stop frees it", async () => {
  const port = await freePort();
  const script = `setTimeout(() => require("net").createServer().listen(${port}, "127.0.0.1"), 80)`;
  const running = await startProcess({ command: node, args: ["-e", script], ready: { port } });
  expect(await refused(port)).toBe(false);
  expect(await running.stop()).toEqual({ code: null, signal: "SIGTERM" });
  expect(await refused(port)).toBe(true);
});

test("process: ends before it is ready, start throws with its output", async () => {
  const port = await freePort();
  const starting = startProcess({
    command: node,
    args: ["-e", `console.error("bad thing"); process.exit(3)`],
    ready: { port },
  });
  await expect(starting).rejects.toThrow(/bad thing/);
});

test("process: unknown program, start throws and leaves nothing", async () => {
  await expect(startProcess({ command: "/no/such/program" })).rejects.toThrow(
    /did not start: .no.such/,
  );
});

test("process: ignores SIGTERM, stop kills it after the grace", async () => {
  const running = await startProcess({
    command: node,
    args: ["-e", `process.on("SIGTERM", () => {}); setInterval(() => {}, 1e6); console.log("up")`],
    ready: { output: /up/ },
  });
  expect(await running.stop("SIGTERM", 100)).toEqual({ code: null, signal: "SIGKILL" });
});

test("process: forked a child that stays, stop ends the child too", async () => {
  const child = `setInterval(() => {}, 1e6)`;
  const running = await startProcess({
    command: node,
    args: [
      "-e",
      `const c = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}]);
       console.log("child " + c.pid + ".");`,
    ],
    ready: { output: /child \d+\./ },
  });
  const pid = Number(/child (\d+)/.exec(running.stdout)![1]);
  await running.stop();
  await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false);
});

/** A killed orphan stays a zombie until init reaps it, which a container's init may never do. */
function isAlive(pid: number): boolean {
  const { status, stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)]);
  return status === 0 && !stdout.toString().startsWith("Z");
}

test("tools: absent program, it is null, and skips or fails as the environment says", () => {
  expect(findTool("no-such-program-anywhere")).toBeNull();
  const skipped = new Error("skipped");
  const context = {
    skip(): never {
      throw skipped;
    },
  };
  const require = () => requireTool("no-such-program-anywhere", context);
  if (requireAll) expect(require).toThrow(/not installed/);
  else expect(require).toThrow(skipped);
});

test.skipIf(!haveTools("nginx"))("nginx: given locations and files, serves them", async () => {
  await using nginx = await Nginx.start({
    server: `location /hi { return 200 "hello"; }`,
    files: { "a.txt": "file" },
  });
  const get = (path: string) =>
    exchange({ port: nginx.port }, [`GET ${path} HTTP/1.0\r\nHost: x\r\n\r\n`]);
  expect((await get("/hi")).text).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nhello$/s);
  expect((await get("/a.txt")).text).toMatch(/\r\n\r\nfile$/);
});
