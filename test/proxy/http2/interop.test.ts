import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Nginx } from "../../support/nginx.ts";
import { startProcess } from "../../support/processes.ts";
import { removeFolder, temporaryFolder } from "../../support/temporary-folder.ts";
import { requireTool, type SkippableContext } from "../../support/tools.ts";
import { ok, ScriptedOrigin } from "../origin.ts";
import { drivers, startProxy } from "../support.ts";

const big = randomBytes(2 << 20);

const startNginx = (): Promise<Nginx> =>
  Nginx.start({ server: `location /small { return 200 "small"; }`, files: { big } });

/** Runs a tool to its end; what it printed, or an error with all of it. */
async function run(context: SkippableContext, tool: string, args: string[]): Promise<string> {
  await using child = await startProcess({ command: requireTool(tool, context), args });
  const { code } = await child.exited;
  if (code !== 0) throw new Error(`${tool}: status ${code}\n${child.stdout}${child.stderr}`);
  return child.stdout;
}

describe.each(drivers)("http/2 interop (%s)", (driver) => {
  test("curl, by prior knowledge, downloads and uploads", async (context) => {
    await using origin = await startNginx();
    await using uploads = await ScriptedOrigin.start(({ body }) => ok(String(body.length)));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using taking = await startProxy({ driver, to: [uploads.port] });
    const folder = temporaryFolder("h2-curl");
    try {
      const [sent, got] = [join(folder, "sent"), join(folder, "got")];
      writeFileSync(sent, big);
      const common = ["-s", "--http2-prior-knowledge", "--max-time", "20", "-w", "%{http_version}"];
      const url = `http://127.0.0.1:${proxy.port}/big`;
      expect(await run(context, "curl", [...common, "-o", got, url])).toBe("2");
      expect(readFileSync(got).equals(big)).toBe(true);
      const upload = [...common, "--data-binary", `@${sent}`, `http://127.0.0.1:${taking.port}/`];
      expect(await run(context, "curl", upload)).toBe(`${big.length}2`);
    } finally {
      removeFolder(folder);
    }
  });

  test("curl, that asks for an upgrade to h2c, gets HTTP/1.1", async (context) => {
    await using origin = await startNginx();
    await using proxy = await startProxy({ driver, to: [origin.port] });
    const url = `http://127.0.0.1:${proxy.port}/small`;
    const args = ["-s", "--http2", "--max-time", "20", "-w", "%{http_version}", url];
    expect(await run(context, "curl", args)).toBe("small1.1");
  });

  test("nghttp, with RFC 7540's priorities and several streams, gets all", async (context) => {
    await using origin = await startNginx();
    await using proxy = await startProxy({ driver, to: [origin.port] });
    const url = `http://127.0.0.1:${proxy.port}`;
    const report = await run(context, "nghttp", ["-n", "-s", `${url}/small`, `${url}/big`]);
    expect(report).toMatch(/\b200\s+5\s+\/small/);
    expect(report).toMatch(/\b200\s+2M\s+\/big/);
    expect(proxy.recorder.http2Faults).toEqual([]);
  });

  test("h2load, with 4 connections of 32 streams, has every request served", async (context) => {
    await using origin = await startNginx();
    await using proxy = await startProxy({ driver, to: [origin.port] });
    const url = `http://127.0.0.1:${proxy.port}/small`;
    const report = await run(context, "h2load", ["-n4000", "-c4", "-m32", url]);
    expect(report).toContain("4000 succeeded, 0 failed, 0 errored");
    expect(proxy.recorder).toMatchObject({ sessions: 4, streams: 4_000, http2Faults: [] });
  });
});
