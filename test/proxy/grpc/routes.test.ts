import { describe, expect, test } from "vitest";
import { SeededRng } from "../../../src/core/random.ts";
import { frameMessage } from "../../../src/grpc/message-frame.ts";
import { libraryDescriptors } from "../../../src/grpc/testing/library-descriptors.ts";
import { transcodingDefaults } from "../../../src/grpc/transcoding/options.ts";
import { corsDefaults } from "../../../src/grpc/web/cors.ts";
import { routeTranscoding } from "../../../src/proxy/grpc/transcoding.ts";
import { routeProgram } from "../../../src/proxy/route/program.ts";
import type { RouteSettings } from "../../../src/proxy/route/settings.ts";
import { startProxy } from "../support.ts";
import { LibraryServer } from "./library.ts";

const route: RouteSettings = {
  name: "library",
  match: { hosts: [], path: null, methods: [], headers: [], query: [] },
  action: { kind: "upstream", upstream: "origin" },
  rewrite: null,
  requestHeaders: null,
  responseHeaders: { remove: [], add: {}, set: { "X-Edited": "yes" } },
  grpcWeb: { cors: corsDefaults },
  transcode: {
    descriptors: "library.pb",
    services: null,
    options: transcodingDefaults,
    maxMessage: 1_000_000,
    descriptorSet: libraryDescriptors(),
  },
};

describe("a route with grpcWeb and transcode", () => {
  test("gRPC-Web and JSON at once, are both served, their responses edited", async () => {
    await using server = await LibraryServer.start();
    await using proxy = await startProxy({
      driver: "node",
      to: [server.port],
      origin: { protocol: "http2" },
      program: routeProgram([route], new SeededRng(7), routeTranscoding),
    });
    const url = `http://127.0.0.1:${proxy.port}`;
    const headers = { Connection: "close" };
    const json = await fetch(`${url}/v1/shelves/1`, { headers });
    expect(await json.json()).toMatchObject({ name: "shelves/1" });
    expect(json.headers.get("x-edited")).toBe("yes");
    const web = await fetch(`${url}/library.Library/GetShelf`, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/grpc-web" },
      body: frameMessage(Uint8Array.of(0x0a, 1, 0x61)),
    });
    expect((await web.bytes()).length).toBeGreaterThan(20);
    expect(web.headers.get("content-type")).toBe("application/grpc-web+proto");
    expect((await fetch(`${url}/nothing`, { headers })).status).toBe(404);
  });

  test("without what transcodes, the program is refused", () => {
    expect(() => routeProgram([route], new SeededRng(7))).toThrow("route library");
  });
});
