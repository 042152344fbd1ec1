import { describe, expect, test } from "vitest";
import { SeededRng } from "../../core/random.ts";
import { RequestHead, ResponseHead } from "../../http/head.ts";
import type { ProxyProgram } from "../program.ts";
import type { Session } from "../session-api.ts";
import { routeProgram } from "./program.ts";
import type { HeaderEdits, RewriteSettings, RouteAction, RouteSettings } from "./settings.ts";
import { route } from "./testing/routes.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a hook sees of an exchange, with the real heads and no connections. */
class FakeSession {
  readonly request = new RequestHead();
  readonly upstreamRequest = new RequestHead();
  readonly response = new ResponseHead();
  route = "";
  answer: Answer | null = null;

  constructor(target: string, fields: Readonly<Record<string, string>> = {}) {
    this.request.target = target;
    this.request.fields.set("Host", "www.example.com:8080");
    for (const [name, value] of Object.entries(fields)) this.request.fields.set(name, value);
    this.upstreamRequest.copyFrom(this.request);
  }

  cookie(name: string): string | undefined {
    return /(\w+)=(\w+)/.exec(this.request.fields.get("Cookie") ?? "")?.[1] === name
      ? this.request.fields.get("Cookie")!.split("=")[1]
      : undefined;
  }

  respond(status: number, headers?: Record<string, string> | null, body?: Uint8Array | null) {
    const text = body ? new TextDecoder().decode(body) : "";
    this.answer = { status, headers: headers ?? {}, body: text };
    return "responded" as const;
  }
}

/** Takes a request through the phases in the engine's order. Returns the upstream, or null. */
function run(program: ProxyProgram, session: FakeSession): unknown {
  const api = session as unknown as Session;
  const ctx = program.newContext?.(api);
  program.requestFilter?.(api, ctx);
  if (session.answer !== null) return null;
  const peer = program.upstreamPeer(api, ctx);
  program.upstreamRequestFilter?.(api, ctx);
  program.responseFilter?.(api, ctx);
  return peer;
}

const programOf = (...routes: RouteSettings[]) => routeProgram(routes, new SeededRng(7));
const edits = (part: Partial<HeaderEdits>): HeaderEdits => ({
  remove: [],
  set: {},
  add: {},
  ...part,
});
const under = (value: string) => ({ path: { kind: "prefix", value } as const });

describe("phases", () => {
  test("one plain catch-all route needs only upstreamPeer, which names the route", () => {
    const program = programOf(route("all"));
    expect(Object.keys(program)).toEqual(["upstreamPeer"]);
    const session = new FakeSession("/..");
    expect(run(program, session)).toBe("app");
    expect(session.route).toBe("all");
  });

  test("routes that take every request and answer none need no requestFilter", () => {
    const program = programOf(route("a", { methods: ["POST"] }), route("b"));
    expect(Object.keys(program).toSorted()).toEqual(["newContext", "upstreamPeer"]);
  });

  test("each kind of edit brings its own phase", () => {
    const both = {
      requestHeaders: edits({ remove: ["x"] }),
      responseHeaders: edits({ remove: ["y"] }),
    };
    expect(Object.keys(programOf(route("a", {}, both)))).toEqual([
      "newContext",
      "upstreamPeer",
      "upstreamRequestFilter",
      "responseFilter",
    ]);
  });
});

describe("requests without a route", () => {
  const program = programOf(route("api", under("/api")));

  test("no match: 404 with a short body, named no-route", () => {
    const session = new FakeSession("/other");
    expect(run(program, session)).toBeNull();
    expect(session.answer).toMatchObject({ status: 404, body: "404 Not Found\n" });
    expect(session.route).toBe("no-route");
  });

  test("a path above the root: 400, though a prefix would match", () => {
    const session = new FakeSession("/api/../../x");
    run(program, session);
    expect(session.answer?.status).toBe(400);
    expect(session.route).toBe("bad-path");
  });
});

describe("answers", () => {
  const answer = (action: RouteAction, match = {}, rest = {}, target = "/") => {
    const session = new FakeSession(target);
    expect(run(programOf(route("r", match, { action, ...rest })), session)).toBeNull();
    return session.answer;
  };

  test("respond: status, fields and body, with a type for text", () => {
    const action = { kind: "respond", status: 418, headers: { "X-A": "1" }, body: "tea" } as const;
    expect(answer(action)).toEqual({
      status: 418,
      headers: { "X-A": "1", "Content-Type": "text/plain; charset=utf-8" },
      body: "tea",
    });
  });

  test("respond: response edits apply, and the content type that was given stays", () => {
    const headers = { "content-type": "text/html", "X-A": "1" };
    const action = { kind: "respond", status: 200, headers, body: "x" } as const;
    const rest = {
      responseHeaders: edits({ remove: ["x-a"], set: { "X-B": "2" }, add: { "x-b": "3" } }),
    };
    expect(answer(action, {}, rest)?.headers).toEqual({
      "content-type": "text/html",
      "x-b": "2, 3",
    });
  });

  test.each([
    ["https://{host}{path}{query}", {}, "/a/b?c=1", "https://www.example.com/a/b?c=1"],
    ["/new/{*}{query}", under("/old"), "/old/a%20b/", "/new/a%20b/"],
    ["/new", under("/old"), "/old/x?y", "/new"],
    ["/u/{id}", { path: { kind: "pattern", value: "/users/:id" } }, "/users/7", "/u/7"],
    // Not "//evil.example", which a browser takes for another host.
    ["/{*}", under("/old"), "/old///evil.example", "/evil.example"],
    ["/{*}", under("/old"), "/old/%5cevil.example", "/%5Cevil.example"],
  ])("redirect to %j under %j: %j becomes %j", (location, match, target, expected) => {
    const found = answer({ kind: "redirect", status: 308, location }, match, {}, target);
    expect(found?.status).toBe(308);
    expect(found?.headers.Location).toBe(expected);
  });
});

describe("rewrites", () => {
  const rewritten = (rewrite: RewriteSettings, match: object, target: string) => {
    const session = new FakeSession(target);
    run(programOf(route("r", match, { rewrite })), session);
    return session;
  };
  const path = (p: RewriteSettings["path"]): RewriteSettings => ({ path: p, host: null });
  const strip = (prefix: string, add: string | null = null) =>
    path({ kind: "prefix", strip: prefix, add });

  test.each([
    [strip("/api"), under("/api"), "/api/x?y=1", "/x?y=1"],
    [strip("/api"), under("/api"), "/api", "/"],
    [strip("/api"), under("/api"), "/x/../api//x", "/x"],
    [strip("/api"), {}, "/apix/y", "/apix/y"],
    [strip("/api", "/v2/"), under("/api"), "/api/x", "/v2/x"],
    [path({ kind: "prefix", strip: null, add: "/v2" }), {}, "/x?", "/v2/x"],
    [
      path({ kind: "replace", template: "/u/{id}/{*}" }),
      { path: { kind: "pattern", value: "/users/:id/files/*" } },
      "/users/7/files/a%2Fb?z",
      "/u/7/a%2Fb?z",
    ],
    [path({ kind: "replace", template: "/{*}" }), under("/x"), "/x", "/"],
    [path({ kind: "replace", template: "/{*}/y" }), under("/x"), "/x", "/y"],
  ])("%j under %j: %j goes out as %j", (rewrite, match, target, expected) => {
    const session = rewritten(rewrite, match, target);
    expect(session.upstreamRequest.target).toBe(expected);
    expect(session.request.target).toBe(target);
  });

  test("without a rewrite of the path the target stays as it was received", () => {
    const session = rewritten({ path: null, host: "inner" }, under("/a"), "/x/../a//b?c");
    expect(session.upstreamRequest.target).toBe("/x/../a//b?c");
    expect(session.upstreamRequest.fields.get("host")).toBe("inner");
  });
});

test("header edits: removed, set, added, on the copy that goes out and on the response", () => {
  const session = new FakeSession("/", { "X-Old": "1", "X-Set": "1" });
  session.response.fields.set("Server", "secret");
  const requestHeaders = edits({ remove: ["x-old"], set: { "x-set": "2" }, add: { "x-set": "3" } });
  const responseHeaders = edits({ remove: ["server"], add: { "X-New": "4" } });
  run(programOf(route("r", {}, { requestHeaders, responseHeaders })), session);
  expect(session.upstreamRequest.fields.get("x-old")).toBeUndefined();
  expect(session.upstreamRequest.fields.getAll("x-set")).toEqual(["2", "3"]);
  expect(session.request.fields.get("x-old")).toBe("1");
  expect([...session.response.fields]).toEqual([["X-New", "4"]]);
});

describe("splits", () => {
  const split = (weights: Readonly<Record<string, number>>, sticky: object | null = null) =>
    programOf(
      route(
        "r",
        {},
        {
          action: {
            kind: "split",
            targets: Object.entries(weights).map(([upstream, weight]) => ({ upstream, weight })),
            sticky,
          } as RouteAction,
        },
      ),
    );

  test("many requests are shared out by weight, and a weight of 0 gets none", () => {
    const program = split({ a: 3, none: 0, b: 1 });
    const counts = new Map<unknown, number>();
    for (let i = 0; i < 4_000; i++) {
      const peer = run(program, new FakeSession("/"));
      counts.set(peer, (counts.get(peer) ?? 0) + 1);
    }
    // The generator is seeded: 3,000 within four standard deviations (27.4 each).
    expect(Math.abs(counts.get("a")! - 3_000)).toBeLessThan(110);
    expect(counts.get("none")).toBeUndefined();
  });

  test("sticky: the same cookie goes to the same upstream, and a growing share only gains", () => {
    const small = split({ stable: 95, canary: 5 }, { kind: "cookie", name: "v" });
    const large = split({ stable: 160, canary: 40 }, { kind: "cookie", name: "v" });
    let gained = 0;
    for (let i = 0; i < 500; i++) {
      const visit = () => new FakeSession("/", { Cookie: `v=${i}` });
      const before = run(small, visit());
      expect(run(small, visit())).toBe(before);
      const after = run(large, visit());
      if (before === "canary") expect(after).toBe("canary");
      else if (after === "canary") gained++;
    }
    expect(gained).toBeGreaterThan(30);
  });

  test("sticky by header: the value decides", () => {
    const program = split({ a: 1, b: 1 }, { kind: "header", name: "x-user" });
    const peers = ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8"].map((user) =>
      run(program, new FakeSession("/", { "X-User": user })),
    );
    expect(new Set(peers)).toEqual(new Set(["a", "b"]));
  });
});
