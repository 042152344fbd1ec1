import { describe, expect, test } from "vitest";
import { formatProblems } from "./problem.ts";
import { inListener, inRoute, inUpstream, load, minimal, problems } from "./testing/files.ts";

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
    [
      "a frame that is too small",
      inListener("http2: { maxFrameSize: 8KiB }"),
      "3:28",
      /a size from 16KiB to below 16MiB/,
    ],
    [
      "a window that is too large",
      inListener("http2: { initialWindow: 2GiB }"),
      "3:29",
      /below 2GiB/,
    ],
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
