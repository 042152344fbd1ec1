import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { freePort } from "../../support/ports.ts";
import { startProcess } from "../../support/processes.ts";
import { removeFolder, temporaryFolder } from "../../support/temporary-folder.ts";
import { requireTool, type SkippableContext } from "../../support/tools.ts";
import { H2Client } from "../http2/client.ts";
import { drivers, eventually, startProxy } from "../support.ts";

const origin = { protocol: "http2" } as const;
const big = randomBytes(2 << 20);

/** nghttpd in plain, with what it serves. */
async function startNghttpd(context: SkippableContext, ...args: readonly string[]) {
  const command = requireTool("nghttpd", context);
  const folder = temporaryFolder("nghttpd");
  writeFileSync(join(folder, "big"), big);
  writeFileSync(join(folder, "small"), "small");
  const port = await freePort();
  const child = await startProcess({
    command,
    args: ["--no-tls", "-a", "127.0.0.1", "-d", folder, ...args, String(port)],
    ready: { port },
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      removeFolder(folder);
    },
  };
}

describe.each(drivers)("before nghttpd (%s)", (driver) => {
  test("files, small and large, of many clients, arrive whole", async (context) => {
    await using server = await startNghttpd(context);
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using a = await H2Client.connect(proxy.port);
    await using b = await H2Client.connect(proxy.port);
    const asked = Array.from({ length: 40 }, (_, i) =>
      (i % 2 === 0 ? a : b).ask({ ":path": i % 8 === 0 ? "/big" : "/small" }),
    );
    const answers = await Promise.all(asked);
    for (const [i, { body }] of answers.entries()) {
      expect(body.equals(i % 8 === 0 ? big : Buffer.from("small"))).toBe(true);
    }
    expect(proxy.origin.connections).toBe(1);
  });

  test("an upload, comes back as it went", async (context) => {
    await using server = await startNghttpd(context, "--echo-upload");
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using client = await H2Client.connect(proxy.port);
    const { body, status } = await client.ask({ ":method": "POST", ":path": "/small" }, big);
    expect([status, body.equals(big)]).toEqual([200, true]);
  });

  test("trailers and padding, are taken", async (context) => {
    const flags = ["--echo-upload", "--trailer", "x-end: 1", "-b", "100"];
    await using server = await startNghttpd(context, ...flags);
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using client = await H2Client.connect(proxy.port);
    const { body, trailers } = await client.ask({ ":method": "POST" }, "hello");
    expect([body.toString(), trailers?.["x-end"]]).toEqual(["hello", "1"]);
  });

  test("few streams at a time, are more connections, and h2load has all served", async (context) => {
    await using server = await startNghttpd(context, "-m", "4");
    const limits = { connectionsPerEndpoint: 8 };
    await using proxy = await startProxy({
      driver,
      to: [server.port],
      origin: { ...origin, limits },
    });
    const url = `http://127.0.0.1:${proxy.port}/small`;
    await using load = await startProcess({
      command: requireTool("h2load", context),
      args: ["-n3000", "-c4", "-m32", url],
    });
    await load.exited;
    expect(load.stdout).toContain("3000 succeeded, 0 failed, 0 errored");
    expect(proxy.recorder.upstreamOpened).toBeLessThanOrEqual(8);
    await eventually("all are over", () => proxy.recorder.requests.length === 3_000);
  });
});
