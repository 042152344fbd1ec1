// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration's own notation
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { loadYaml } from "./load.ts";
import { formatProblems, type Problem } from "./problem.ts";

fc.configureGlobal({ seed: 20_261_121, numRuns: 300 });

const minimal = `listeners:
  - listen: 127.0.0.1:8080
    routes:
      - upstream: app
upstreams:
  app: { endpoints: ["127.0.0.1:9000"] }
`;

function load(text: string, env = {}) {
  const result = loadYaml(text, "m.yaml", env);
  if (!result.ok) throw new Error(formatProblems(result.problems));
  return result;
}

function problems(text: string, env = {}): readonly Problem[] {
  const result = loadYaml(text, "m.yaml", env);
  return result.ok ? result.warnings : result.problems;
}

/** The minimal file with these lines in its route, listener or upstream. */
const inRoute = (...lines: string[]) =>
  minimal.replace("upstream: app\n", () => `${lines.join("\n        ")}\n`);
const inListener = (line: string) => minimal.replace("    routes:", `    ${line}\n    routes:`);
const inUpstream = (entry: string) => minimal.replace('9000"]', `9000"], ${entry}`);

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

describe("problems", () => {
  test("an unknown upstream: place, path, found, expected, fix, and the line with a caret", () => {
    const text = minimal.replace("upstream: app", "upstream: ap");
    expect(formatProblems(problems(text).filter((p) => p.severity === "error"))).toBe(
      [
        'm.yaml:4:19  listeners[0].routes[0].upstream: found "ap", expected the name of an upstream (app). Did you mean "app"?',
        "  4 |       - upstream: ap",
        "    |                   ^",
      ].join("\n"),
    );
  });

  test.each<[what: string, text: string, place: string, message: RegExp]>([
    ["an empty file", "", "1:1", /found nothing \(null\), expected a map/],
    ["a list", "- a\n", "1:1", /found a list, expected a map/],
    ["a duration without unit", inListener("timeouts: { idle: 75 }"), "3:23", /Write "75s"/],
    ["a size without unit", inListener("limits: { head: 1024 }"), "3:21", /Write "1024B"/],
    ["a duration of zero", inListener("timeouts: { idle: 0s }"), "3:23", /above zero/],
    ["an unknown key", inListener("timeouts: { hed: 1s }"), "3:17", /"hed".*Did you mean "head"/],
    [
      "an unknown key in a choice",
      inRoute("match: { path: { prefx: /a } }", "upstream: app"),
      "4:26",
      /Did you mean "prefix"/,
    ],
    [
      "a near miss of a word",
      inUpstream("balance: round_robin"),
      "6:50",
      /Did you mean "round-robin"/,
    ],
    ["a scheme", minimal.replace("127.0.0.1:9000", "http://h:1/x"), "6:22", /Write "h:1", without/],
    ["no port", minimal.replace("127.0.0.1:9000", "localhost"), "6:22", /Add the port/],
    ["a key twice", `workers: 1\nworkers: 2\n${minimal}`, "2:1", /this key twice/],
    ["a route to nowhere", inRoute("name: x"), "4:9", /a route that goes nowhere/],
    [
      "two actions",
      inRoute("upstream: app", "respond: {}"),
      "5:9",
      /upstream and respond together/,
    ],
    ["sticky alone", inRoute("upstream: app", "sticky: { cookie: a }"), "5:9", /beside a split/],
    [
      "a split of nothing",
      inRoute("split: { app: 0 }"),
      "4:16",
      /a share above 0|at least one share/,
    ],
    [
      "an unknown capture",
      inRoute('match: { path: "/:id" }', "upstream: app", 'rewrite: { path: "/{ix}" }'),
      "6:26",
      /Did you mean "id"/,
    ],
    [
      "two rewrites",
      inRoute("upstream: app", "rewrite: { path: /a, addPrefix: /b }"),
      "5:30",
      /together/,
    ],
    [
      "a body in a 204",
      inRoute("respond: { status: 204, body: x }"),
      "4:39",
      /none with status 204/,
    ],
    [
      "a framing field",
      inRoute("upstream: app", "requestHeaders: { set: { Content-Length: 1 } }"),
      "5:34",
      /does not manage/,
    ],
    [
      "Host by an edit",
      inRoute("upstream: app", "requestHeaders: { set: { Host: x } }"),
      "5:34",
      /rewrite: \{ host/,
    ],
    [
      "a bad field name",
      inRoute("upstream: app", 'requestHeaders: { remove: ["a b"] }'),
      "5:36",
      /name of a header field/,
    ],
    [
      "a line break in a value",
      inRoute("upstream: app", 'responseHeaders: { set: { a: "b\\nc" } }'),
      "5:38",
      /without line breaks/,
    ],
    [
      "a path above the root",
      inRoute("match: { path: { prefix: /.. } }", "upstream: app"),
      "4:34",
      /above the root/,
    ],
    [
      "a star inside a pattern",
      inRoute('match: { path: "/a/*/b" }', "upstream: app"),
      "4:24",
      /a pattern such as/,
    ],
    [
      "a capture named twice",
      inRoute('match: { path: { pattern: "/:a/:a" } }', "upstream: app"),
      "4:35",
      /a path pattern/,
    ],
    [
      "a request line longer than the head",
      inListener("limits: { head: 4KiB }"),
      "3:21",
      /no smaller/,
    ],
    [
      "a part longer than the whole",
      inUpstream("timeouts: { total: 1s, connect: 2s }"),
      "6:73",
      /at most total/,
    ],
    [
      "an endpoint twice",
      inUpstream("x: 1").replace('9000"]', '9000", "127.0.0.1:9000"]'),
      "6:40",
      /a second time/,
    ],
    [
      "the admin's address taken",
      minimal.replace("8080", "9901").replace("listeners", "admin: 127.0.0.1:9901\nlisteners"),
      "3:13",
      /taken by/,
    ],
    [
      "a redirect status of 200",
      inRoute("redirect: { location: /, status: 200 }"),
      "4:42",
      /a redirect status/,
    ],
    [
      "a retry count in quotes",
      inUpstream('retries: { attempts: "3" }'),
      "6:62",
      /whole number from 1 to 20/,
    ],
  ])("%s", (_, text, place, message) => {
    const found = problems(text).filter((p) => p.severity === "error");
    const lines = found.map((p) => `${p.line}:${p.column}`);
    expect(lines, formatProblems(found)).toContain(place);
    expect(formatProblems(found)).toMatch(message);
  });

  test("everything that is wrong comes back at once, in the order of the file", () => {
    const found = problems(`workers: 0
listeners:
  - listen: 80
    routes: [{ upstream: ap }]
upstreams:
  app: { endpoints: [x], balance: best }
`);
    expect(found.map((p) => [p.line, p.path, p.severity])).toEqual([
      [1, "workers", "error"],
      [3, "listeners[0].listen", "error"],
      [4, "listeners[0].routes[0].upstream", "error"],
      [6, "upstreams.app", "warning"],
      [6, "upstreams.app.endpoints[0]", "error"],
      [6, "upstreams.app.balance", "error"],
    ]);
  });

  test("an upstream that no route uses is a warning, and the configuration stands", () => {
    const { warnings } = load(`${minimal}  spare: { endpoints: [demo] }\n`);
    expect(warnings).toMatchObject([{ severity: "warning", line: 7, path: "upstreams.spare" }]);
  });

  test("a route with the match of an earlier one is never asked: a warning at the later one", () => {
    const twice = "- upstream: app\n      - { match: {}, upstream: app }";
    const { warnings } = load(minimal.replace("- upstream: app", twice));
    expect(warnings).toMatchObject([
      { severity: "warning", line: 5, path: "listeners[0].routes[1]" },
    ]);
  });

  test("two listeners on one address, and two of one name", () => {
    const second = `  - { name: w, listen: ["*:81", "127.0.0.1:8080"], routes: [{ upstream: app }] }
  - { name: w, listen: 0.0.0.0:81, routes: [{ upstream: app }] }
upstreams:`;
    const found = problems(minimal.replace("upstreams:", second));
    expect(found.map((p) => p.path).toSorted()).toEqual([
      "listeners[1].listen[1]",
      "listeners[2].listen",
      "listeners[2].name",
    ]);
  });

  test("a mistake in the YAML itself stops at the syntax", () => {
    const found = problems("listeners: [\n  a: b: c\nworkers: 0\n");
    expect(found).toMatchObject([{ found: expect.stringMatching(/^a mistake in the YAML/) }]);
  });

  test("aliases that explode are refused", () => {
    const bomb = Array.from({ length: 12 }, (_, i) =>
      i === 0
        ? "a0: &a0 [x, x]"
        : `a${i}: &a${i} [${Array(9)
            .fill(`*a${i - 1}`)
            .join(", ")}]`,
    ).join("\n");
    expect(problems(bomb)[0]?.found).toMatch(/alias/i);
  });

  test("control characters in a source line do not reach the terminal", () => {
    const found = problems(minimal.replace("upstream: app", 'upstream: "\u007fx"'));
    expect(formatProblems(found)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  });
});

describe("environment", () => {
  test("a variable stands in a value, and a plain number stays one", () => {
    const text = `workers: \${N}\n${minimal.replace("8080", "${PORT:-8081}")}`;
    expect(load(text, { N: "3" }).config).toMatchObject({
      workers: 3,
      listeners: [{ addresses: [{ port: 8081 }] }],
    });
  });

  test("an empty variable takes the default, as in a shell", () => {
    expect(load(minimal.replace("8080", "${PORT:-8081}"), { PORT: "" }).ok).toBe(true);
  });

  test("a variable cannot bring structure with it", () => {
    const text = inRoute("upstream: app", "responseHeaders:", "  set:", "    a: ${V}");
    for (const V of [
      "007",
      "1e3",
      "0x10",
      "1.0",
      "12345678901234567890",
      "~",
      "{ b: c }",
      "[1]",
      "*x",
      "&y z",
      "!!map {}",
    ]) {
      const edits = load(text, { V }).config.listeners[0]!.routes![0]!.responseHeaders;
      expect(edits?.set).toEqual({ a: V });
    }
  });

  test("a variable without quotes inside braces: the problem says what to do", () => {
    const found = problems(inRoute("respond: { body: ${V} }"), { V: "x" });
    expect(found).toMatchObject([{ line: 4, fix: expect.stringMatching(/quotes around/) }]);
  });

  test("a missing variable is one problem at its place", () => {
    const found = problems(minimal.replace("127.0.0.1:8080", "${WHERE}"));
    expect(found).toMatchObject([
      { line: 2, column: 13, found: "no variable WHERE in the environment" },
    ]);
  });

  test("a doubled dollar stands for itself, and a broken reference is a problem", () => {
    const text = (body: string) => inRoute(`respond: { body: "${body}" }`);
    const route = load(text("$${A}")).config.listeners[0]!.routes![0]!;
    expect(route.action).toMatchObject({ body: "${A}" });
    expect(problems(text("${A"))[0]?.expected).toMatch(/a variable as in/);
    expect(problems(text("${1x}"))[0]?.expected).toMatch(/a variable as in/);
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
