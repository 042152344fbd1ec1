import { expect, test } from "vitest";
import { transcodingDefaults } from "../grpc/transcoding/options.ts";
import { corsDefaults } from "../grpc/web/cors.ts";
import { describeConfig } from "./describe.ts";
import { formatProblems } from "./problem.ts";
import { inRoute, inUpstream, load, minimal, problems } from "./testing/files.ts";

const routeOf = (text: string) => load(text).config.listeners[0]!.routes![0]!;

test("grpcWeb: nothing without it, CORS for any with true, none where it says so", () => {
  expect(routeOf(minimal).grpcWeb).toBeNull();
  expect(routeOf(inRoute("upstream: app", "grpcWeb: true")).grpcWeb).toEqual({
    cors: corsDefaults,
  });
  expect(routeOf(inRoute("upstream: app", "grpcWeb: {}")).grpcWeb).toEqual({ cors: corsDefaults });
  expect(routeOf(inRoute("upstream: app", "grpcWeb: false")).grpcWeb).toBeNull();
  const off = inRoute("upstream: app", "grpcWeb: { cors: false }");
  expect(routeOf(off).grpcWeb).toEqual({ cors: null });
  const cors =
    "origins: [https://a.example, 'https://*.b.example'], credentials: true, maxAge: 10m";
  expect(routeOf(inRoute("upstream: app", `grpcWeb: { cors: { ${cors} } }`)).grpcWeb).toEqual({
    cors: {
      ...corsDefaults,
      origins: ["https://a.example", "https://*.b.example"],
      credentials: true,
      maxAge: 600,
    },
  });
});

test("transcode: its file and its services, the rest as it is by default", () => {
  const text = inRoute("upstream: app", "transcode: { descriptors: api.pb, services: [a.v1.B] }");
  expect(routeOf(text).transcode).toEqual({
    descriptors: "api.pb",
    services: ["a.v1.B"],
    options: transcodingDefaults,
    maxMessage: 4 * 1024 * 1024,
    descriptorSet: null,
  });
  const shown = JSON.stringify(describeConfig(load(text).config));
  expect(shown).toContain('"descriptors":"api.pb"');
  expect(shown).toContain('"maxMessage":"4MiB"');
  expect(shown).not.toContain("descriptorSet");
});

test("grpcWeb before an upstream of HTTP/2, is fine", () => {
  const text = inRoute("upstream: app", "grpcWeb: true");
  for (const app of [
    '"127.0.0.1:9000"], protocol: http2',
    '"h2c://127.0.0.1:9000"]',
    '"https://a.example"]',
  ]) {
    expect(problems(text.replace('"127.0.0.1:9000"]', app))).toEqual([]);
  }
});

test("health: none without it, by gRPC or by HTTP with its parts", () => {
  const healthOf = (text: string) => load(text).config.upstreams[0]!.health;
  expect(healthOf(minimal)).toBeNull();
  expect(healthOf(inUpstream("health: { grpc: { service: a.B }, interval: 5s }"))).toEqual({
    check: { kind: "grpc", service: "a.B" },
    interval: 5_000_000,
    timeout: 2_000_000,
    healthy: 2,
    unhealthy: 3,
  });
  const text = inUpstream("health: { http: { path: /ok, statuses: [204] }, unhealthy: 1 }");
  expect(healthOf(text)).toMatchObject({
    check: { kind: "http", path: "/ok", host: null, statuses: [204] },
    unhealthy: 1,
  });
  const shown = JSON.stringify(describeConfig(load(text).config));
  expect(shown).toContain('"interval":"10s"');
});

test.each<[what: string, text: string, message: RegExp]>([
  [
    "a word",
    inRoute("upstream: app", "grpcWeb: yes please"),
    /expected true, false, or \{ cors \}/,
  ],
  [
    "an origin with a path",
    inRoute("upstream: app", "grpcWeb: { cors: { origins: [https://a/b] } }"),
    /an origin such as/,
  ],
  [
    "credentials for any",
    inRoute("upstream: app", "grpcWeb: { cors: { credentials: true } }"),
    /origins by name/,
  ],
  ["no descriptors", inRoute("upstream: app", "transcode: {}"), /the path of a file/],
  [
    "a service with a slash",
    inRoute("upstream: app", "transcode: { descriptors: a, services: [a/B] }"),
    /full name of a service/,
  ],
  [
    "a rewrite beside it",
    inRoute("upstream: app", "transcode: { descriptors: a }\n        rewrite: { path: /x }"),
    /none beside transcode/,
  ],
  ["a fixed answer", inRoute("respond: { status: 200 }", "grpcWeb: true"), /no effect here/],
  [
    "an upstream of HTTP/1.1",
    inRoute("upstream: app", "grpcWeb: true"),
    /"app", which is spoken to in HTTP\/1\.1.*protocol: http2/s,
  ],
  ["health by nothing", inUpstream("health: { interval: 1s }"), /one of grpc and http/],
  ["health by both", inUpstream("health: { grpc: {}, http: {} }"), /one of grpc and http/],
  ["a path without slash", inUpstream("health: { http: { path: ok } }"), /starts with "\/"/],
])("%s, is reported", (_what, text, message) => {
  expect(formatProblems(problems(text))).toMatch(message);
});
