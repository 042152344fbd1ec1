import { describe, expect, test } from "vitest";
import { freePort } from "../support/ports.ts";
import { ok, ScriptedOrigin } from "./origin.ts";
import { drivers, startProxy } from "./support.ts";

describe.each(drivers)("exchanges kept for reuse (%s)", (driver) => {
  test("a request with a context and a kept body is over, its spare holds neither", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("done"));
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: { newContext: () => ({ large: new Uint8Array(1_000_000) }) },
    });
    await using client = await proxy.client();
    await client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
    expect((await client.response()).status).toBe(200);
    const spare = proxy.server.exchange();
    expect(spare.summary.target).toBe("/"); // the one that served it
    expect(spare.ctx).toBeUndefined();
    proxy.server.recycle(spare);
  });

  test("a program that goes from an address to a name, is not asked again for the name's next try", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("done"));
    const dead = await freePort();
    let asked = 0;
    await using proxy = await startProxy({
      driver,
      to: [dead, origin.port],
      origin: { retries: { attempts: 4 } },
      program: {
        upstreamPeer: () => (asked++ === 0 ? { address: `127.0.0.1:${dead}` } : "origin"),
      },
    });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    expect((await client.response()).status).toBe(200);
    expect(asked).toBe(2);
  });
});
