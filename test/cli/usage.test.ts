import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freePort } from "../support/ports.ts";
import { ask, portOf, runMillrace, startMillrace, TemporaryFolder, until } from "./millrace.ts";

/** Holds a port for the time of a test. */
async function occupied(): Promise<Disposable & { readonly port: number }> {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { port, [Symbol.dispose]: () => server.close() };
}

test("no arguments, --help and --version, exit as they should and show examples", async () => {
  const help = await runMillrace("--help");
  expect(help.code).toBe(0);
  expect(help.stdout).toContain("$ millrace proxy --listen");
  const proxyHelp = await runMillrace("proxy", "--help");
  expect([proxyHelp.code, proxyHelp.stdout.includes("--driver")]).toEqual([0, true]);
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  expect(await runMillrace("--version")).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
});

test.each([
  [["proxy", "--nonsense"], "--nonsense"],
  [["proxy"], "--to"],
  [["proxy", "--to", "not an address"], "--to"],
  [["proxy", "--to", "127.0.0.1:1", "--workers", "many"], "--workers"],
  [["proxy", "--to", "127.0.0.1:1", "--driver", "fast"], "--driver"],
  [["proxy", "/nowhere/app.yaml"], "/nowhere/app.yaml"],
  [["proxy", "/nowhere/app.ts"], "/nowhere/app.ts"],
  [["proxy", "millrace.yaml", "--listen", "127.0.0.1:1"], "--listen"],
  [["frobnicate"], "frobnicate"],
])("%j, given, exits 2 and names what is wrong", async (args, named) => {
  const { code, stderr } = await runMillrace(...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(named)]);
});

test("a wrong configuration, run or checked, exits 2 with file and line and binds nothing", async () => {
  using folder = new TemporaryFolder();
  const port = await freePort();
  const file = folder.write(
    "bad.yaml",
    `listeners:
  - listen: 127.0.0.1:${port}
    routes: [{ upstream: ap }]
upstreams: { app: { endpoints: ["127.0.0.1:1"] } }
`,
  );
  for (const command of ["proxy", "check"]) {
    const { code, stderr } = await runMillrace(command, file);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${file}:3:`)]);
  }
  await expect(ask({ port })).rejects.toThrow();
});

test("a module whose import throws, run, exits 2 with the reason", async () => {
  using folder = new TemporaryFolder();
  const file = folder.write("app.ts", 'throw new Error("not today");\n');
  const { code, stderr } = await runMillrace("proxy", file);
  expect([code, stderr]).toEqual([2, expect.stringContaining("not today")]);
});

test("a good configuration, checked, exits 0", async () => {
  const { code, stdout } = await runMillrace("check", "millrace.yaml");
  expect([code, stdout]).toEqual([0, "millrace.yaml: good (1 listener, 2 upstreams)\n"]);
});

test("a taken port, by flag, exits 1 and says which and how to change it", async () => {
  using taken = await occupied();
  const listen = `127.0.0.1:${taken.port}`;
  const { code, stderr } = await runMillrace(
    ...["proxy", "--listen", listen, "--to", "127.0.0.1:1", "--admin", "off"],
  );
  expect([code, stderr]).toEqual([1, expect.stringContaining(`${listen}: the address is in use`)]);
  expect(stderr).toContain("--listen");
});

test("a taken admin port, in a file, exits 1 and names key and flag", async () => {
  using taken = await occupied();
  using folder = new TemporaryFolder();
  const file = folder.write(
    "a.yaml",
    `admin: { listen: "127.0.0.1:${taken.port}" }
listeners: [{ listen: "127.0.0.1:0", routes: [{ upstream: app }] }]
upstreams: { app: { endpoints: ["127.0.0.1:1"] } }
`,
  );
  const { code, stderr } = await runMillrace("proxy", file);
  expect([code, stderr]).toEqual([1, expect.stringContaining("admin.listen")]);
  expect(stderr).toContain("--admin");
});

test("a second Millrace, on the first one's port, is refused although workers share theirs", async () => {
  await using first = await startMillrace(
    ...["proxy", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--admin", "off"],
  );
  const listen = `127.0.0.1:${portOf(first, "listener")}`;
  const second = await runMillrace(
    ...["proxy", "--listen", listen, "--to", "127.0.0.1:1", "--admin", "off"],
  );
  expect([second.code, second.stderr]).toEqual([1, expect.stringContaining("in use")]);
});

test("a Unix socket, listened on, is served, refused to a second one, and gone after", async () => {
  using folder = new TemporaryFolder();
  const socketPath = join(folder.path, "m.sock");
  const args = ["proxy", "--listen", `unix:${socketPath}`, "--to", "127.0.0.1:1", "--admin", "off"];
  const millrace = await startMillrace(...args, "--workers", "2");
  try {
    expect((await ask({ socketPath })).status).toBe(502);
    const second = await runMillrace(...args);
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining("in use")]);
    expect((await ask({ socketPath })).status).toBe(502);
  } finally {
    await millrace.stop();
  }
  expect(statSync(socketPath, { throwIfNoEntry: false })).toBeUndefined();
});

test("an access log to a file, requests, are lines of JSON in it when it has stopped", async () => {
  using folder = new TemporaryFolder();
  const log = join(folder.path, "access.log");
  const millrace = await startMillrace(
    ...["proxy", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--admin", "off"],
    ...["--workers", "2", "--access-log", log],
  );
  const port = portOf(millrace, "listener");
  for (let i = 0; i < 10; i++) await ask({ port, path: `/${i}?token=hidden` });
  expect((await millrace.stop()).code).toBe(0);
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  const targets = lines.map((line) => (JSON.parse(line) as { target: string }).target);
  expect(targets.toSorted()).toEqual(Array.from({ length: 10 }, (_, i) => `/${i}?token=***`));
  expect(JSON.parse(lines[0]!)).toMatchObject({ status: 502, error: { code: "ECONNREFUSED" } });
  expect(millrace.stdout).toBe("");
});

test("an access log that cannot be opened, given, exits 1 and says so", async () => {
  const { code, stderr } = await runMillrace(
    ...["proxy", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--admin", "off"],
    ...["--access-log", "/nowhere/access.log"],
  );
  expect([code, stderr]).toEqual([1, expect.stringContaining("/nowhere/access.log")]);
});

test("the node driver, asked for, serves and is named", async () => {
  await using millrace = await startMillrace(
    ...["proxy", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--driver", "node"],
    ...["--workers", "2", "--admin", "127.0.0.1:0"],
  );
  expect(millrace.stderr).toContain("driver node");
  const admin = portOf(millrace, "admin");
  expect((await ask({ port: portOf(millrace, "listener") })).status).toBe(502);
  await until("it is counted", async () =>
    (await ask({ port: admin, path: "/metrics" })).body.includes('code="502"} 1'),
  );
});
