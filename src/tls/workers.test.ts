import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { createTlsClient } from "./client.ts";
import { createTlsServer } from "./server.ts";
import { TestAuthority } from "./testing/authority.ts";
import { EnginePair } from "./testing/engine-pair.ts";

test("threads, each with TLS of its own, agree side by side and may be ended at any time", async () => {
  using authority = new TestAuthority();
  const pair = authority.issue({ names: ["one.test"] });
  const script = new URL("./testing/handshake-worker.fixture.ts", import.meta.url);
  const workerData = { ca: authority.pem, pair };
  using server = createTlsServer({ certificates: [pair], alpn: ["y"] });
  using client = createTlsClient({ ca: [authority.pem], alpn: ["y"] });
  const agree = (): void => {
    using met = new EnginePair(server, client, { serverName: "one.test" }).run();
    expect(met.client.engine.connection?.alpn).toBe("y");
  };
  const workers = [0, 1].map(() => new Worker(script, { workerData }));
  for (const worker of workers) {
    expect(await once(worker, "message")).toEqual([20]);
    agree();
  }
  for (const worker of workers) {
    // In the middle of handshakes.
    await worker.terminate();
    agree();
  }
});
