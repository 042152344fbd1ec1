import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, listening, portOf, TemporaryFolder } from "./cli/millrace.ts";
import { startProcess } from "./support/processes.ts";
import { findTool } from "./support/tools.ts";

/* The package as a user gets it: packed, installed elsewhere, run by whatever Node the machine has. */
const root = join(import.meta.dirname, "..");
const folder = new TemporaryFolder();
const app = join(folder.path, "app");
/** Not the pinned Node that npm put in front, but the machine's own, however old. */
const path = (process.env.PATH ?? "")
  .split(delimiter)
  .filter((entry) => !entry.includes("node_modules") && !entry.includes("node-gyp-bin"))
  .concat(findTool("node") === null ? [dirname(process.execPath)] : [])
  .join(delimiter);

function run(command: string, args: readonly string[], cwd: string) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, PATH: path },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

beforeAll(() => {
  const packed = run("npm", ["pack", "--pack-destination", folder.path], root);
  expect(packed).toMatchObject({ status: 0 });
  const tarball = readdirSync(folder.path).find((name) => name.endsWith(".tgz"))!;
  mkdirSync(app);
  folder.write("app/package.json", '{ "private": true, "type": "module" }\n');
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  const installed = run("npm", ["install", ...quiet, join(folder.path, tarball)], app);
  expect(installed).toMatchObject({ status: 0 });
}, 240_000);
afterAll(() => folder[Symbol.dispose]());

const bin = () => join(app, "node_modules", ".bin", "millrace");

test("the package, packed, holds what runs and no sources, tests or benches", () => {
  const top = readdirSync(join(app, "node_modules", "millrace")).toSorted();
  expect(top).toEqual(expect.arrayContaining(["bin", "dist", "schema", "package.json"]));
  expect(top.filter((name) => ["src", "test", "bench", "scripts"].includes(name))).toEqual([]);
  const files = readdirSync(join(app, "node_modules", "millrace", "dist"), { recursive: true });
  expect(files.filter((name) => /\.test\.|testing/.test(String(name)))).toEqual([]);
});

test("the installed binary, asked through npx, tells its version", () => {
  const { version } = JSON.parse(run("npm", ["pkg", "get", "--json"], root).stdout) as {
    version: string;
  };
  const result = run("npx", ["--no-install", "millrace", "--version"], app);
  expect([result.status, result.stdout]).toEqual([0, `${version}\n`]);
});

test("the installed binary, with a program, serves it and drains on SIGTERM", async () => {
  const origin = createServer((_, response) => response.end("hello\n"));
  const to = await listening(origin);
  const file = folder.write(
    "app/proxy.ts",
    `import { defineProxy, NetError, type Session } from "millrace";
import { parseIp } from "millrace/core";
export default defineProxy({
  listeners: [{ listen: "127.0.0.1:0" }],
  upstreams: { app: { endpoints: ["127.0.0.1:${to}"] } },
  responseFilter(session: Session) {
    session.response!.headers.set("X-Seen", String(parseIp("::1")));
  },
  upstreamPeer(session: Session) {
    if (session.request.path === "/no") throw new NetError("NO_ROUTE", "no", { source: "internal", status: 404 });
    return "app";
  },
});
`,
  );
  const millrace = await startProcess({
    command: bin(),
    args: ["proxy", file, "--workers", "1", "--admin", "off"],
    cwd: app,
    env: { PATH: path },
    ready: { output: /Ctrl-C stops it/ },
    timeoutMs: 20_000,
  });
  try {
    const answer = await ask({ port: portOf(millrace, "listener") });
    expect(answer).toMatchObject({ status: 200, body: "hello\n", headers: { "x-seen": "::1" } });
    expect((await ask({ port: portOf(millrace, "listener"), path: "/no" })).status).toBe(404);
  } finally {
    origin.close();
    origin.closeAllConnections();
  }
  expect(await millrace.stop("SIGTERM")).toEqual({ code: 0, signal: null });
});

test("the entries, imported by name, have what they promise", () => {
  const script = `
    import { defineProxy } from "millrace";
    import { SeededRng } from "millrace/core";
    import { RequestReceiver } from "millrace/http";
    import { ProxyServer } from "millrace/proxy";
    import { loadYaml } from "millrace/config";
    import { renderExposition } from "millrace/telemetry";
    import { createEpollTransport } from "millrace/drivers/epoll";
    import { createNodeTransport } from "millrace/drivers/node";
    import { MemoryNetwork } from "millrace/drivers/memory";
    import schema from "millrace/schema/millrace.schema.json" with { type: "json" };
    console.log([defineProxy, SeededRng, RequestReceiver, ProxyServer, loadYaml, renderExposition,
      createEpollTransport, createNodeTransport, MemoryNetwork].every((f) => typeof f === "function"),
      typeof schema);`;
  const args = ["--input-type=module", "-e", script];
  const result = run(process.execPath, args, app);
  expect([result.stderr, result.stdout]).toEqual(["", "true object\n"]);
});

test("a program, type-checked against the package, has types and not any", () => {
  folder.write(
    "app/typed.ts",
    `import { defineProxy } from "millrace";
export default defineProxy({
  newContext: () => ({ tries: 0 }),
  upstreamPeer(session, ctx) {
    const path: string = session.request.path;
    const tries: number = ctx.tries;
    // @ts-expect-error: a string, or \`any\` would pass
    const wrong: number = session.request.path;
    return path + tries + wrong;
  },
});
`,
  );
  folder.write(
    "app/tsconfig.json",
    `{ "compilerOptions": { "module": "nodenext", "strict": true, "noEmit": true, "target": "es2024",
       "skipLibCheck": false, "types": ["node"], "typeRoots": ["${join(root, "node_modules", "@types")}"] },
       "files": ["typed.ts"] }
`,
  );
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const result = run(process.execPath, [compiler, "-p", app], app);
  expect([result.stdout, result.status]).toEqual(["", 0]);
});

/** Makes a process believe that its Node is old; the binary cannot tell. */
const aged =
  "data:text/javascript,import process from 'node:process';" +
  "Object.defineProperty(process,'versions',{value:{...process.versions,node:'18.20.0'}});" +
  "delete process.execve";

test("an old Node with the pinned one installed, started, hands over with arguments and status", () => {
  const result = run(process.execPath, ["--import", aged, bin(), "proxy", "--nonsense"], app);
  expect([result.status, result.stderr]).toEqual([2, expect.stringContaining("--nonsense")]);
});

test("an old Node without the pinned one, started, exits 1 and says what is missing", () => {
  const alone = join(folder.path, "alone", "bin");
  mkdirSync(alone, { recursive: true });
  copyFileSync(join(root, "bin", "millrace.mjs"), join(alone, "millrace.mjs"));
  const result = run(
    process.execPath,
    ["--import", aged, join(alone, "millrace.mjs"), "--version"],
    folder.path,
  );
  expect([result.status, result.stderr]).toEqual([
    1,
    expect.stringMatching(/needs Node 24\.5 or later.*node-[a-z0-9-]+.*--omit=optional/s),
  ]);
});
