import { Agent, request as httpRequest } from "node:http";
import { describe, expect, test } from "vitest";
import { millis, seconds } from "../../src/core/time.ts";
import { RawClient } from "../support/raw-http.ts";
import { RawOrigin } from "../support/raw-origin.ts";
import { ok, ScriptedOrigin } from "./origin.ts";
import { aWhile, drivers, eventually, startProxy } from "./support.ts";

const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";

describe.each(drivers)("lifecycle (%s)", (driver) => {
  test("draining without connections, is over at once and the port is free", async () => {
    await using proxy = await startProxy({ driver, to: [1] });
    await proxy.server.drain(seconds(10));
    await expect(RawClient.connect({ port: proxy.port })).rejects.toThrow("ECONNREFUSED");
  });

  test("draining with idle connections, closes them, upstream ones too", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("fine"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using fresh = await proxy.client();
    await using used = await proxy.client();
    await used.send(GET);
    await used.response();
    await eventually("both are open", () => proxy.server.connections === 2);
    await proxy.server.drain(seconds(60));
    expect(await fresh.untilEnd()).toBe("closed");
    expect(await used.untilEnd()).toBe("closed");
    await eventually("the pool is empty", () => proxy.origin.connections === 0);
    await eventually("the origin sees it", () => origin.connections[0]!.ended === "closed");
  });

  test("draining, a request that was on its way: it is served, with a close", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("fine"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await eventually("it is open", () => proxy.server.connections === 1);
    const drained = proxy.server.drain(seconds(60));
    await client.send(GET);
    const answer = await client.response();
    expect([answer.status, answer.header("connection")]).toEqual([200, "close"]);
    expect(await client.untilEnd()).toBe("closed");
    client.halfClose();
    await drained;
  });

  test("draining with requests under way, they are finished with a close", async () => {
    await using origin = await ScriptedOrigin.start(({ line, socket }) => {
      if (line.startsWith("GET /begun"))
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
      return undefined;
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using waiting = await proxy.client();
    await using begun = await proxy.client();
    await using uploading = await proxy.client();
    await waiting.send(GET);
    await begun.send("GET /begun HTTP/1.1\r\nHost: h\r\n\r\n");
    await begun.until((text) => text.endsWith("half"));
    await uploading.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhalf");
    await eventually(
      "all are under way",
      () => proxy.origin.active === 3 && origin.requests.length === 2,
    );
    let over = false;
    const drained = proxy.server.drain(seconds(60)).then(() => {
      over = true;
    });
    await aWhile();
    expect(over).toBe(false);
    await uploading.send("rest");
    await eventually("the upload is whole", () => origin.requests.length === 3);
    for (const { line, socket } of origin.requests)
      socket.write(line.startsWith("GET /begun") ? "half" : ok("fine"));
    expect((await begun.response()).body.toString()).toBe("halfhalf");
    for (const client of [waiting, uploading]) {
      const answer = await client.response();
      expect([answer.status, answer.header("connection")]).toEqual([200, "close"]);
    }
    for (const client of [waiting, begun, uploading]) {
      await client.untilEnd();
      client.halfClose();
    }
    await drained;
  });

  test("draining past its deadline, cuts requests, heads and tunnels, and is over", async () => {
    await using origin = await RawOrigin.start(
      (c) => void (c.received.includes("Upgrade") && c.socket.write(SWITCHED)),
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using busy = await proxy.client();
    await using partial = await proxy.client();
    await using tunnel = await proxy.client();
    await busy.send(GET);
    await partial.send("GET / HT");
    await tunnel.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    await tunnel.response();
    await eventually(
      "all are there",
      () => proxy.server.connections === 3 && proxy.origin.active === 2,
    );
    await proxy.server.drain(millis(50));
    for (const client of [busy, partial, tunnel]) expect(await client.untilEnd()).not.toBe("open");
    expect(proxy.server.connections).toBe(0);
    await eventually("the origin's are cut", () =>
      origin.connections.every(({ ended }) => ended !== "open"),
    );
  });

  test("a tunnel that ends while draining, lets it be over", async () => {
    await using origin = await RawOrigin.start((c) => {
      if (c.received.endsWith("\r\n\r\n")) c.socket.write(SWITCHED);
      c.socket.on("end", () => c.socket.end());
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    await client.response();
    const drained = proxy.server.drain(seconds(60));
    client.halfClose();
    await drained;
    expect(await client.untilEnd()).toBe("closed");
  });

  test("draining under a load of keep-alive clients, loses no request", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("fine"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    let served = 0;
    let closing = false;
    const lost: string[] = [];
    const one = (): Promise<string> =>
      new Promise((resolve) => {
        const request = httpRequest({ port: proxy.port, agent }, (response) => {
          response.resume();
          response.on("end", () => resolve(`${response.statusCode}`));
          response.on("error", (error) => resolve(error.message));
        });
        request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
        request.end();
      });
    const clients = Array.from({ length: 16 }, async () => {
      for (;;) {
        const outcome = await one();
        // A connection that was refused carried no request.
        if (outcome === "ECONNREFUSED") return;
        if (outcome === "200") served++;
        else lost.push(`${outcome} ${closing}`);
      }
    });
    await eventually("the load is on", () => served > 500);
    closing = true;
    await proxy.server.drain(seconds(60));
    await Promise.all(clients);
    agent.destroy();
    expect(lost).toEqual([]);
  });

  test("close with everything under way, cuts it all", async () => {
    await using origin = await RawOrigin.start(() => {});
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: {
        requestFilter: (s) => (s.request.path === "/wait" ? new Promise(() => {}) : undefined),
      },
    });
    await using busy = await proxy.client();
    await using waiting = await proxy.client();
    await using idle = await proxy.client();
    await busy.send(GET);
    await waiting.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    await eventually(
      "all are there",
      () => proxy.server.connections === 3 && proxy.origin.active === 1,
    );
    proxy.server.close();
    for (const client of [busy, waiting, idle]) expect(await client.untilEnd()).not.toBe("open");
    await eventually("both requests are over", () => proxy.recorder.requests.length === 2);
  });
});
