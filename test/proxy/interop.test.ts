import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { Agent, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Client, Agent as UndiciAgent, request as undiciRequest } from "undici";
import { describe, expect, test } from "vitest";
import { Nginx } from "../support/nginx.ts";
import { startProcess } from "../support/processes.ts";
import { requireTool } from "../support/tools.ts";
import { drivers, type RunningProxy, startProxy } from "./support.ts";

const big = randomBytes(5 << 20);

const nginxServer = `
    location /big { }
    location /gone { return 410 "gone\\n"; }
    location /none { return 204; }
    location /moved { return 301 /elsewhere; }
    location /close { keepalive_timeout 0; return 200 "closing\\n"; }
    location / { return 200 "$request_method $request_uri $http_x_test\\n"; }
`;

const startNginx = (): Promise<Nginx> => Nginx.start({ server: nginxServer, files: { big } });

async function collect(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe.each(drivers)("interop (%s)", (driver) => {
  const curl = async (
    context: { skip(note?: string): never },
    proxy: RunningProxy,
    ...args: string[]
  ): Promise<string> => {
    const command = requireTool("curl", context);
    const url = args.pop()!;
    const line = ["-sS", "--max-time", "20", ...args, `http://127.0.0.1:${proxy.port}${url}`];
    const running = await startProcess({ command, args: line });
    const { code } = await running.exited;
    expect(running.stderr).toBe("");
    expect(code).toBe(0);
    return running.stdout;
  };

  test("curl and nginx: methods, bodies, ranges, versions, upgrades", async (context) => {
    requireTool("nginx", context);
    requireTool("curl", context);
    await using nginx = await startNginx();
    await using proxy = await startProxy({ driver, to: [nginx.port] });
    const upload = join(nginx.folder, "upload");
    writeFileSync(upload, big);
    expect(await curl(context, proxy, "-H", "X-Test: yes", "/a?b=c")).toBe("GET /a?b=c yes\n");
    expect(await curl(context, proxy, "-X", "DELETE", "/a")).toBe("DELETE /a \n");
    expect(await curl(context, proxy, "-I", "/big")).toContain(`Content-Length: ${big.length}`);
    expect(await curl(context, proxy, "-0", "/a")).toBe("GET /a \n");
    expect(await curl(context, proxy, "-0", "-H", "Connection: keep-alive", "/a")).toBe(
      "GET /a \n",
    );
    expect(await curl(context, proxy, "--http2", "/a")).toBe("GET /a \n");
    expect(await curl(context, proxy, "-w", "%{http_code}", "/none")).toBe("204");
    expect(await curl(context, proxy, "-w", "%{http_code}", "/gone")).toBe("gone\n410");
    expect(
      await curl(context, proxy, "-w", "%{redirect_url}", "-o", "/dev/null", "/moved"),
    ).toContain("/elsewhere");
    expect(
      await curl(
        context,
        proxy,
        "-o",
        "/dev/null",
        "-w",
        "%{size_download} %{http_code}",
        "-r",
        "100-199",
        "/big",
      ),
    ).toBe("100 206");
    expect(await curl(context, proxy, "-o", "/dev/null", "-w", "%{size_download}", "/big")).toBe(
      String(big.length),
    );
    expect(await curl(context, proxy, "-T", upload, "/up")).toBe("PUT /up \n");
    expect(
      await curl(context, proxy, "-d", `@${upload}`, "-H", "Expect: 100-continue", "/up"),
    ).toBe("POST /up \n");
    expect(
      await curl(context, proxy, "-H", "Transfer-Encoding: chunked", "-d", "small", "/up"),
    ).toBe("POST /up \n");
    expect(await curl(context, proxy, "/close")).toBe("closing\n");
    expect(proxy.recorder.requests.every(({ error }) => error === null)).toBe(true);
  });

  test("curl over one connection to nginx: hundred requests reuse both sides", async (context) => {
    requireTool("nginx", context);
    await using nginx = await startNginx();
    await using proxy = await startProxy({ driver, to: [nginx.port] });
    const out = await curl(context, proxy, "/n/[1-100]");
    expect(out.split("\n").slice(0, 3)).toEqual(["GET /n/1 ", "GET /n/2 ", "GET /n/3 "]);
    expect(out.split("\n").length).toBe(101);
    expect(proxy.recorder.upstreamOpened).toBe(1);
    expect(proxy.recorder.opened).toBe(1);
  });

  test("undici, pipelining and keep-alive: answers come to their requests", async () => {
    const server = createServer((request, response) => {
      const delay = request.url!.length % 3;
      setTimeout(() => response.end(request.url), delay);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      await using proxy = await startProxy({
        driver,
        to: [(server.address() as AddressInfo).port],
      });
      const client = new Client(`http://127.0.0.1:${proxy.port}`, { pipelining: 10 });
      await Promise.all(
        Array.from({ length: 200 }, async (_, i) => {
          const path = `/${"p".repeat(i % 7)}${i}`;
          const { body } = await client.request({ path, method: "GET" });
          expect(await body.text()).toBe(path);
        }),
      );
      expect(proxy.recorder.opened).toBe(1);
      await client.close();
      const dispatcher = new UndiciAgent({ connections: 4, pipelining: 1 });
      await Promise.all(
        Array.from({ length: 100 }, async (_, i) => {
          const { body, statusCode } = await undiciRequest(`http://127.0.0.1:${proxy.port}/${i}`, {
            dispatcher,
            method: "POST",
            body: `b${i}`,
          });
          expect([statusCode, await body.text()]).toEqual([200, `/${i}`]);
        }),
      );
      expect(proxy.recorder.opened).toBeLessThanOrEqual(5);
      await dispatcher.close();
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test("node's client and server: trailers, interim answers, expectations", async () => {
    const server = createServer((request, response) => {
      response.writeEarlyHints({ link: "</style.css>; rel=preload" });
      response.writeHead(200, { Trailer: "X-Sum" });
      request.on("data", (chunk) => response.write(chunk));
      request.on("end", () => {
        response.addTrailers({ "X-Sum": request.trailers["x-in"] ?? "none" });
        response.end();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      await using proxy = await startProxy({
        driver,
        to: [(server.address() as AddressInfo).port],
      });
      for (let i = 0; i < 3; i++) {
        const request = httpRequest({
          port: proxy.port,
          agent,
          method: "POST",
          headers: { Trailer: "X-In", Expect: "100-continue" },
        });
        const hints: string[] = [];
        request.on("information", ({ statusCode }: { statusCode: number }) =>
          hints.push(String(statusCode)),
        );
        request.flushHeaders();
        await once(request, "continue");
        request.write("hello ");
        request.addTrailers([["X-In", "given"]]);
        request.end("world");
        const [response] = (await once(request, "response")) as [IncomingMessage];
        expect((await collect(response)).toString()).toBe("hello world");
        expect(response.trailers).toEqual({ "x-sum": "given" });
        expect(hints).toEqual(["100", "103"]);
      }
      expect(proxy.recorder.opened).toBe(1);
      agent.destroy();
    } finally {
      agent.destroy();
      server.closeAllConnections();
      server.close();
    }
  });
});
