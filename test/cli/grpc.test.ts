import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { libraryDescriptors } from "../../src/grpc/testing/library-descriptors.ts";
import { TestAuthority } from "../../src/tls/testing/authority.ts";
import { EchoClient, EchoServer } from "../proxy/grpc/echo.ts";
import { LibraryServer } from "../proxy/grpc/library.ts";
import { ask, portOf, runMillrace, startMillrace, TemporaryFolder, until } from "./millrace.ts";
import { tlsPortOf } from "./tls-support.ts";

const yaml = (port: number): string => `admin: "127.0.0.1:0"
workers: 2
listeners:
  - name: web
    listen: 127.0.0.1:0
    routes:
      - name: library
        upstream: library
        grpcWeb: { cors: { origins: ["https://app.example"] } }
        transcode: { descriptors: library.pb }
upstreams:
  library: { endpoints: ["127.0.0.1:${port}"], protocol: http2 }
`;

test("a route with grpcWeb and transcode, serves JSON and preflights, counts and logs calls", async () => {
  await using server = await LibraryServer.start();
  using folder = new TemporaryFolder();
  writeFileSync(join(folder.path, "library.pb"), libraryDescriptors());
  const file = folder.write("m.yaml", yaml(server.port));
  await using proxy = await startMillrace("proxy", file);
  const port = portOf(proxy, "listener");
  const got = await ask({ port, path: "/v1/shelves/1" });
  expect(JSON.parse(got.body)).toMatchObject({ name: "shelves/1" });
  expect((await ask({ port, path: "/v1/shelves/none" })).status).toBe(404);
  const preflight = await ask({
    port,
    path: "/library.Library/GetShelf",
    method: "OPTIONS",
    headers: { Origin: "https://app.example", "Access-Control-Request-Method": "POST" },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers["access-control-allow-origin"]).toBe("https://app.example");
  const calls = (status: string): string =>
    `millrace_grpc_calls_total{listener="web",route="library",grpc_status="${status}"} 1\n`;
  const metrics = await ask({ port: portOf(proxy, "admin"), path: "/metrics" });
  expect(metrics.body).toContain(calls("OK"));
  expect(metrics.body).toContain(calls("NOT_FOUND"));
  await until("the calls are logged", () => proxy.stdout.includes('"grpc_status":5'));
  expect(proxy.stderr).toContain("library.Library.Upload streams its requests");
});

test("descriptors that are not there, keep it from starting", async () => {
  using folder = new TemporaryFolder();
  const file = folder.write("m.yaml", yaml(9));
  for (const command of ["proxy", "check"]) {
    const { code, stderr } = await runMillrace(command, file);
    expect(code).toBe(2);
    expect(stderr).toMatch(/route library: transcode\.descriptors: cannot read the descriptors/);
  }
});

test("calls over TLS on both sides, negotiate HTTP/2 by ALPN", async () => {
  using authority = new TestAuthority();
  using folder = new TemporaryFolder();
  const pair = authority.issue({ names: ["localhost", "127.0.0.1"] });
  folder.write("ca.pem", authority.pem);
  folder.write("a.pem", pair.certificate);
  folder.write("a.key", pair.key);
  await using server = await EchoServer.start(pair);
  const file = folder.write(
    "m.yaml",
    `admin: "off"
workers: 1
log: { access: off }
listeners:
  - listen: https://127.0.0.1:0
    tls: { certificates: [{ cert: a.pem, key: a.key }] }
    routes: [{ upstream: echo }]
upstreams:
  echo:
    endpoints: ["https://127.0.0.1:${server.port}"]
    tls: { ca: ca.pem }
    health: { grpc: {}, interval: 1h }
`,
  );
  await using proxy = await startMillrace("proxy", file);
  using client = new EchoClient(tlsPortOf(proxy), authority.pem);
  const message = Buffer.alloc(200_000, "x");
  const { code, details, messages } = await client.ask("bidi", [message, message]);
  expect({ code, details }).toEqual({ code: 0, details: "OK" });
  expect(messages.map((one) => one.equals(message))).toEqual([true, true]);
});
