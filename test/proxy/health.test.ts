import { createServer, type Server as HttpServer } from "node:http";
import {
  type AddressInfo,
  createServer as createRawServer,
  type Server as RawServer,
} from "node:net";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { millis } from "../../src/core/time.ts";
import type { HealthCheck } from "../../src/proxy/health/settings.ts";
import { drivers, eventually, type OriginOverrides, startProxy } from "./support.ts";

const health = (check: HealthCheck): Pick<OriginOverrides, "health"> => ({
  health: { check, interval: millis(20), timeout: millis(500), healthy: 1, unhealthy: 2 },
});
const byGrpc = (service = ""): HealthCheck => ({ kind: "grpc", service });
const byHttp = (path: string, statuses: readonly number[] | null = null): HealthCheck => ({
  kind: "http",
  path,
  host: null,
  statuses,
});

/** A server of grpc-js with grpc.health.v1; `serving` says what it answers. */
class HealthServer implements AsyncDisposable {
  readonly port: number = 0;
  serving: Record<string, number> = { "": 1 };
  asked = 0;
  readonly #server = new Server();

  static async start(): Promise<HealthServer> {
    const health = new HealthServer();
    const bytes = (value: Buffer): Buffer => value;
    const Check = {
      path: "/grpc.health.v1.Health/Check",
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    };
    health.#server.addService(
      { Check },
      {
        Check: (
          { request }: { request: Buffer },
          done: (error: { code: number } | null, answer?: Buffer) => void,
        ) => {
          health.asked++;
          const serving = health.serving[request.subarray(2).toString()];
          if (serving === undefined) done({ code: status.NOT_FOUND });
          else done(null, Buffer.from([0x08, serving]));
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      const insecure = ServerCredentials.createInsecure();
      health.#server.bindAsync("127.0.0.1:0", insecure, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return Object.assign(health, { port });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}

const listening = async (server: HttpServer | RawServer): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
};

describe.each(drivers)("active health checks (%s)", (driver) => {
  type Proxy = Awaited<ReturnType<typeof startProxy>>;
  const state = ({ server }: Proxy): string => server.snapshot().upstreams[0]!.endpoints[0]!.state;
  const becomes = (proxy: Proxy, wanted: string): Promise<void> =>
    eventually(`the endpoint is ${wanted}`, () => state(proxy) === wanted);

  test("gRPC: NOT_SERVING puts an endpoint down, SERVING up again, and it is told", async () => {
    await using server = await HealthServer.start();
    const origin = { protocol: "http2", ...health(byGrpc()) } as const;
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await eventually("it is asked", () => server.asked > 2);
    expect(state(proxy)).toBe("up");
    server.serving = { "": 2 };
    await becomes(proxy, "down");
    server.serving = { "": 1 };
    await becomes(proxy, "up");
    expect(proxy.recorder.notices.map((text) => text.replace(/127\S+/, "E"))).toEqual([
      "upstream origin: E is unhealthy: it says not-serving",
      "upstream origin: E is healthy again",
    ]);
  });

  test("gRPC: a service by name, one that the server has not, and no health service at all", async () => {
    await using server = await HealthServer.start();
    server.serving = { "a.B": 1 };
    const origin = health(byGrpc("a.B"));
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await eventually("it is asked", () => server.asked > 3);
    expect(state(proxy)).toBe("up");
    server.serving = {};
    await becomes(proxy, "down");
    expect(proxy.recorder.notices[0]).toContain("answered NOT_FOUND");
  });

  test("HTTP: the status decides, by the list or within 200 – 399", async () => {
    let answer = 200;
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers["user-agent"]}`);
      response.writeHead(answer).end("body");
    });
    const port = await listening(server);
    await using proxy = await startProxy({ driver, to: [port], origin: health(byHttp("/ok?x")) });
    await eventually("it is asked", () => asked.length > 2);
    expect(asked[0]).toBe("GET /ok?x millrace-health-check");
    expect(state(proxy)).toBe("up");
    answer = 503;
    await becomes(proxy, "down");
    expect(proxy.recorder.notices[0]).toContain("it answered 503");
    answer = 302;
    await becomes(proxy, "up");
    server.close();
  });

  test("down: requests go to those that are up", async () => {
    const healthy = createServer((_request, response) => response.end("healthy"));
    const sick = createServer((request, response) => {
      response.writeHead(request.url === "/health" ? 500 : 200).end("sick");
    });
    const to = [await listening(healthy), await listening(sick)];
    await using proxy = await startProxy({ driver, to, origin: health(byHttp("/health")) });
    const states = (): string =>
      proxy.server
        .snapshot()
        .upstreams[0]!.endpoints.map((one) => one.state)
        .join();
    await eventually("one is down", () => states() === "up,down");
    for (let i = 0; i < 6; i++) {
      const headers = { Connection: "close" };
      const response = await fetch(`http://127.0.0.1:${proxy.port}/`, { headers });
      expect(await response.text()).toBe("healthy");
    }
    healthy.close();
    sick.close();
  });

  test("HTTP/2, nobody there, no HTTP, and silence", async () => {
    await using grpc = await HealthServer.start();
    const http2 = { protocol: "http2", ...health(byHttp("/", [415])) } as const;
    await using proxy = await startProxy({ driver, to: [grpc.port], origin: http2 });
    await using away = await startProxy({ driver, to: [9], origin: health(byHttp("/")) });
    const noise = createRawServer((socket) => {
      socket.on("error", () => {});
      socket.end("what?\r\n\r\n");
    });
    const noisy = await listening(noise);
    await using rude = await startProxy({ driver, to: [noisy], origin: health(byHttp("/")) });
    const silence = createRawServer((socket) => socket.on("error", () => {}));
    const mute = await listening(silence);
    await using still = await startProxy({ driver, to: [mute], origin: health(byGrpc()) });
    for (const one of [away, rude, still]) await becomes(one, "down");
    expect(state(proxy)).toBe("up");
    expect(away.recorder.notices[0]).toMatch(/ECONNREFUSED|refused/);
    expect(rude.recorder.notices[0]).toContain("answered no HTTP");
    expect(still.recorder.notices[0]).toContain("did not answer in time");
    for (const one of [noise, silence]) one.close();
  });
});
