import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { libraryDescriptors } from "../../src/grpc/testing/library-descriptors.ts";
import { LibraryServer } from "../proxy/grpc/library.ts";
import { ask, portOf, runMillrace, startMillrace, TemporaryFolder, until } from "./millrace.ts";

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
  const { code, stderr } = await runMillrace("proxy", file);
  expect(code).toBe(2);
  expect(stderr).toMatch(/route library: transcode\.descriptors: cannot read the descriptors/);
});
