// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration's own notation
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { http2Defaults } from "../proxy/h2/settings.ts";
import { loadYaml } from "./load.ts";
import { formatProblems } from "./problem.ts";
import { inListener, inRoute, inUpstream, load, minimal } from "./testing/files.ts";

fc.configureGlobal({ seed: 20_261_121, numRuns: 300 });

describe("defaults", () => {
  test("the smallest file has every default filled in", () => {
    const { config, warnings } = load(minimal);
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      workers: "auto",
      driver: "auto",
      admin: { kind: "ip", ip: "127.0.0.1", port: 9901 },
      log: { level: "info", access: { sample: 1, to: "stdout" } },
      drain: { timeout: 30_000_000 },
      demo: false,
    });
    expect(config.listeners[0]!.settings).toEqual({
      name: "127.0.0.1:8080",
      limits: {
        requestLine: 8192,
        head: 32_768,
        fields: 100,
        body: Infinity,
        connections: 50_000,
        requestsPerConnection: Infinity,
        webSocketMessage: 1_048_576,
      },
      timeouts: {
        head: 10_000_000,
        idle: 75_000_000,
        body: 30_000_000,
        write: 30_000_000,
        tunnel: 3_600_000_000,
      },
      forwarding: { via: "millrace", xForwarded: "replace", forwarded: "off" },
      halfClose: "abort",
      allowConnect: false,
      http2: http2Defaults,
      tls: null,
    });
    expect(config.upstreams[0]).toMatchObject({
      name: "app",
      endpoints: [{ target: { kind: "ip", ip: "127.0.0.1", port: 9000 }, weight: 1 }],
      balance: { kind: "round-robin" },
      timeouts: { connect: 3_000_000, total: null },
      retries: { attempts: 2, keepBody: 65_536 },
      host: "preserve",
    });
  });

  test("the configuration crosses to a worker thread unchanged", () => {
    const { config } = load(minimal);
    expect(structuredClone(config)).toEqual(config);
  });
});

describe("short forms", () => {
  test.each([
    ["log: { access: off }", { log: { access: null } }],
    ["log: { access: false }", { log: { access: null } }],
    ["log: { access: 0 }", { log: { access: null } }],
    ["log: { access: 0.1 }", { log: { access: { sample: 0.1, to: "stdout" } } }],
    ["log: { access: { to: stderr } }", { log: { access: { sample: 1, to: "stderr" } } }],
    ["admin: off", { admin: null }],
    ['admin: "[::1]:9000"', { admin: { ip: "::1", port: 9000 } }],
    ["admin: { listen: unix:/run/a.sock }", { admin: { kind: "unix", path: "/run/a.sock" } }],
    ["workers: 3", { workers: 3 }],
  ])("%s", (line, expected) => {
    expect(load(`${line}\n${minimal}`).config).toMatchObject(expected);
  });

  test.each([
    ["/about", { kind: "exact", value: "/about" }],
    ["/users/:id", { kind: "pattern", value: "/users/:id" }],
    ["/files/*", { kind: "pattern", value: "/files/*" }],
    ["{ prefix: /api }", { kind: "prefix", value: "/api" }],
    ["{ exact: /x }", { kind: "exact", value: "/x" }],
  ])("a path of %s", (path, expected) => {
    const { config } = load(
      inRoute(`match: { path: ${path.startsWith("{") ? path : `"${path}"`} }`, "upstream: app"),
    );
    expect(config.listeners[0]!.routes![0]!.match.path).toEqual(expected);
  });

  test.each([
    ["true", http2Defaults],
    ["off", null],
    ["false", null],
    ["{}", http2Defaults],
    ["{ maxConcurrentStreams: 7 }", { ...http2Defaults, maxConcurrentStreams: 7 }],
    ["{ keepAlive: off }", { ...http2Defaults, keepAlive: null }],
    [
      "{ floods: { resets: { burst: 9 } } }",
      { floods: { resets: { burst: 9, perSecond: http2Defaults.floods.resets.perSecond } } },
    ],
  ])("http2: %s", (text, expected) => {
    const { settings } = load(inListener(`http2: ${text}`)).config.listeners[0]!;
    if (expected === null) expect(settings.http2).toBeNull();
    else expect(settings.http2).toMatchObject(expected);
  });

  test("conditions keep their kind, numbers become text", () => {
    const match =
      "match: { headers: { a: 1, b: { in: [x, y] }, c: { present: false } }, query: { d: { prefix: e } } }";
    const { config } = load(inRoute(match, "upstream: app"));
    expect(config.listeners[0]!.routes![0]!.match).toMatchObject({
      headers: [
        { name: "a", kind: "exact", value: "1" },
        { name: "b", kind: "in", values: ["x", "y"] },
        { name: "c", kind: "absent" },
      ],
      query: [{ name: "d", kind: "prefix", value: "e" }],
    });
  });

  test.each([
    ["balance: random", { balance: { kind: "random" } }],
    [
      "balance: { kind: consistent-hash, on: { header: x-user } }",
      { balance: { kind: "consistent-hash", on: { kind: "header", name: "x-user" } } },
    ],
    [
      "balance: { kind: consistent-hash, on: client-address }",
      { balance: { kind: "consistent-hash", on: { kind: "client-address" } } },
    ],
    ["host: { literal: inner }", { host: { literal: "inner" } }],
    ["timeouts: { total: 5m }", { timeouts: { total: 300_000_000 } }],
    [
      "limits: { connectionsPerEndpoint: unlimited }",
      { limits: { connectionsPerEndpoint: Infinity } },
    ],
  ])("an upstream with %s", (entry, expected) => {
    expect(load(inUpstream(entry)).config.upstreams[0]).toMatchObject(expected);
  });

  test("routes without a name get one each from host and path", () => {
    const { config } = load(
      minimal.replace(
        "      - upstream: app\n",
        `      - upstream: app
      - { match: { host: a.org, path: { prefix: /x } }, upstream: app }
      - { match: { host: a.org, path: "/x/*", method: GET }, upstream: app }
`,
      ),
    );
    const names = config.listeners[0]!.routes!.map((route) => route.name);
    expect(names).toEqual(["default", "a.org/x/*", "a.org/x/*#2"]);
  });
});

describe("never throws", () => {
  const agrees = (text: string): void => {
    const result = loadYaml(text, "m.yaml", {});
    if (!result.ok) {
      expect(result.problems.some((p) => p.severity === "error")).toBe(true);
      expect(formatProblems(result.problems)).not.toBe("");
      for (const p of result.problems) expect(p.line).toBeGreaterThan(0);
    }
  };

  test("on any text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), agrees));
  });

  test("on any cut and any change of one character of a right file", () => {
    const place = fc.nat({ max: minimal.length });
    fc.assert(
      fc.property(place, place, fc.string({ maxLength: 2 }), (from, to, piece) => {
        agrees(minimal.slice(0, from) + piece + minimal.slice(Math.max(from, to)));
      }),
    );
  });

  test("on any value at any place of the tree", () => {
    const keys = fc.constantFrom(
      ..."workers admin log access listeners listen limits head timeouts routes match path prefix host headers query upstream split sticky redirect location respond rewrite stripPrefix requestHeaders set upstreams endpoints balance on total __proto__ constructor toString".split(
        " ",
      ),
    );
    const leaf = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom("app", "10s", "/a", "{x}", "127.0.0.1:1", "${A:-b}", "unlimited", "off"),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5, depthSize: "small" },
        leaf,
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(keys, tie("tree"), { maxKeys: 5 }),
      ),
    }));
    fc.assert(fc.property(fc.dictionary(keys, tree, { maxKeys: 5 }), (v) => agrees(stringify(v))));
  });
});
