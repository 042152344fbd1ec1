import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { haveNamespaces, runInNamespace } from "../support/network-namespace.ts";
import { haveTools } from "../support/tools.ts";
import { runMillrace } from "./millrace.ts";

const able = (await haveNamespaces()) && haveTools("ip", "curl");
const bin = join(import.meta.dirname, "..", "..", "bin", "millrace.mjs");

/** A proxy on the stack of mr1 before an origin on the kernel's end of it, 10.7.0.1. */
const SCRIPT = `
  const { spawn } = await import("node:child_process");
  const { once } = await import("node:events");
  const { createServer } = await import("node:http");
  sh("ip link set lo up");
  const child = spawn(process.execPath, [process.argv[1], "proxy", "--stack", "tap=mr1,address=10.7.0.2/24,address=fd07::2/64",
    "--listen", "10.7.0.2:80", "--listen", "[fd07::2]:80", "--to", "10.7.0.1:9000", "--admin", "127.0.0.1:0", "--access-log", "off"],
    { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  const exited = once(child, "exit");
  child.stderr.on("data", (data) => { text += data; });
  for (let i = 0; i < 400 && !text.includes("Ctrl-C"); i++) await pause(25);
  sh("ip addr add 10.7.0.1/24 dev mr1; ip addr add fd07::1/64 dev mr1 nodad");
  const body = Buffer.alloc(5_000_000, "millrace ");
  const origin = createServer((request, response) => {
    let length = 0;
    request.on("data", (data) => { length += data.length; });
    request.on("end", () => request.method === "GET" ? response.end(body) : response.end("took " + length));
  }).listen(9000, "10.7.0.1");
  await once(origin, "listening");
  const { execFile } = await import("node:child_process");
  const { promisify } = await import("node:util");
  const curl = async (...args) => (await promisify(execFile)("curl", ["-sS", "--noproxy", "*", "--max-time", "15", ...args], { encoding: "buffer", maxBuffer: 1 << 26 })).stdout;
  say((await curl("http://10.7.0.2/")).equals(body));
  say((await curl("http://[fd07::2]/")).equals(body));
  const { writeFileSync, rmSync, mkdtempSync } = await import("node:fs");
  const folder = mkdtempSync("/tmp/millrace-stack-");
  writeFileSync(folder + "/body", body);
  say((await curl("-T", folder + "/body", "http://10.7.0.2/up")).toString());
  rmSync(folder, { recursive: true });
  const admin = /admin +(http:\\S+)/.exec(text)[1];
  say((await curl(admin + "healthz")).toString());
  sh("ip link del mr1");
  const attempt = async (task) => { for (let i = 0; i < 100; i++) try { return await task(); } catch { await pause(100); } };
  await attempt(() => sh("ip addr add 10.7.0.1/24 dev mr1"));
  say((await attempt(() => curl("http://10.7.0.2/"))).equals(body));
  say(/mr1 is gone/.test(text));
  child.kill("SIGTERM");
  say((await exited)[0]);
  origin.closeAllConnections();
  origin.close();
`;

describe.skipIf(!able)("millrace proxy --stack, in a network namespace", () => {
  test("the kernel's clients, over both families, get what the kernel's origin sends, also after the device was removed", async () => {
    const said = await runInNamespace(SCRIPT, bin);
    expect(said).toEqual([true, true, "took 5000000", "ok\n", true, true, 0]);
  });
});

test.skipIf(!able)(
  "millrace proxy --stack, an IPv6 address that is not its own: it says which ones it has",
  async () => {
    const said = await runInNamespace(
      `
    const { spawnSync } = await import("node:child_process");
    const flags = ["--stack", "tap=mr1,address=10.7.0.2/24,address=fd07::2/64", "--listen", "[fd07::9]:80"];
    const { status, stderr } = spawnSync(process.execPath, [process.argv[1], "proxy", ...flags, "--to", "10.7.0.1:9000", "--admin", "off"],
      { encoding: "utf8", timeout: 20_000 });
    say([status, stderr]);
  `,
      bin,
    );
    const why = "cannot listen on [fd07::9]:80: the stack has 10.7.0.2, fd07::2";
    expect(said).toEqual([[1, expect.stringContaining(why)]]);
  },
);

test.each([
  [["--stack", "tap=mr1,address=10.7.0.2"], "needs the form 10.7.0.2/24"],
  [["--stack", "tap=mr1,address=10.7.0.2/24", "--workers", "2"], "served by one worker"],
  [["--stack", "tap=mr1,address=10.7.0.2/24", "--driver", "epoll"], "without --driver epoll"],
  [["--stack", "tap=mr1,address=10.7.0.2/24", "--driver", "node"], "without --driver node"],
  [
    ["--stack", "tap=mr1,address=fd07::2/64,address=10.7.0.2/24", "--listen", "10.7.0.9:80"],
    "--stack has no 10.7.0.9, to listen on 10.7.0.9:80; it has fd07::2, 10.7.0.2; say --listen 10.7.0.2:80",
  ],
  [["--stack", "tap=mr1,address=10.7.0.2/24", "--listen", "unix:/tmp/x"], "not on unix:/tmp/x"],
  [
    ["--stack", "tap=mr1,address=10.7.0.2/24"],
    "loopback of the stack itself, which nobody else reaches; say --listen 10.7.0.2:8080",
  ],
])("millrace proxy %j is refused with a reason", async (flags, why) => {
  const { code, stderr } = await runMillrace("proxy", "--to", "10.7.0.1:9000", ...flags);
  expect(code).toBe(2);
  expect(stderr).toContain(why);
});
