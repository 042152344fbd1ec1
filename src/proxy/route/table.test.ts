import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { queryParameter } from "./query.ts";
import type { PathMatch, RouteSettings, ValueMatch } from "./settings.ts";
import { RouteTable } from "./table.ts";
import { request, route } from "./testing/routes.ts";

fc.configureGlobal({ seed: 20_261_121, numRuns: 1_000 });

function nameOf(table: RouteTable, ...args: Parameters<typeof request>): string {
  const found = table.find(request(...args));
  return typeof found === "string" ? found : found.settings.name;
}

const exact = (value: string) => ({ path: { kind: "exact", value } as PathMatch });
const prefix = (value: string) => ({ path: { kind: "prefix", value } as PathMatch });
const pattern = (value: string) => ({ path: { kind: "pattern", value } as PathMatch });

describe("hosts", () => {
  const table = new RouteTable([
    route("any"),
    route("wild", { hosts: ["*.example.com"] }),
    route("longer", { hosts: ["*.eu.example.com"] }),
    route("exact", { hosts: ["www.example.com", "[::1]"] }),
  ]);

  test.each([
    ["www.example.com", "exact"],
    ["www.example.com.", "exact"],
    ["[::1]", "exact"],
    ["a.example.com", "wild"],
    ["a.b.example.com", "wild"],
    ["a.eu.example.com", "longer"],
    ["eu.example.com", "wild"],
    ["example.com", "any"],
    [".example.com", "any"],
    ["badexample.com", "any"],
    ["", "any"],
  ])("host %j goes to %s", (host, name) => {
    expect(nameOf(table, "/", host)).toBe(name);
  });

  test("a host whose routes do not match falls back to the next group", () => {
    const fallback = new RouteTable([
      route("exact", { hosts: ["a.example.com"], ...exact("/x") }),
      route("wild", { hosts: ["*.example.com"], ...exact("/y") }),
      route("any", prefix("/")),
    ]);
    expect(nameOf(fallback, "/x", "a.example.com")).toBe("exact");
    expect(nameOf(fallback, "/y", "a.example.com")).toBe("wild");
    expect(nameOf(fallback, "/z", "a.example.com")).toBe("any");
  });
});

describe("paths", () => {
  const table = new RouteTable([
    route("all"),
    route("root", prefix("/")),
    route("users", prefix("/users")),
    route("user", pattern("/users/:id")),
    route("me", exact("/users/me")),
    route("files", pattern("/users/:id/files/*")),
    route("admin", prefix("/users/admin")),
  ]);

  test.each([
    ["/users/me", "me"],
    ["/users/7", "user"],
    ["/users/7/files/a", "files"],
    ["/users/7/other", "users"],
    ["/users/admin", "admin"],
    ["/users/admin/files/a", "files"],
    ["/users", "users"],
    ["/usersx", "root"],
    ["*", "all"],
    ["/users/x/../me", "me"],
    ["/users/%6de", "me"],
    ["/..", "bad-path"],
  ])("path %j goes to %s", (path, name) => {
    expect(nameOf(table, path)).toBe(name);
  });

  test("escapes in a route's own path are normalised, too", () => {
    const escaped = new RouteTable([route("x", exact("/%61%2fb"))]);
    expect(nameOf(escaped, "/a%2Fb")).toBe("x");
    expect(nameOf(escaped, "/a/b")).toBe("no-route");
  });
});

describe("encoded separators, which some origins decode", () => {
  const table = new RouteTable([
    route("rest"),
    route("admin", prefix("/admin")),
    route("project", pattern("/projects/:id")),
    route("files", pattern("/files/*")),
    route("drop", { hosts: ["*.example.com"] }),
    route("inner", { hosts: ["www.example.com"], ...prefix("/inner") }),
  ]);

  test.each([
    ["/admin%2Fsecret", "other", "bad-path"],
    ["/admin%2f", "other", "bad-path"],
    ["/%2Fadmin/secret", "other", "bad-path"],
    ["/%2f/%2Fadmin", "other", "bad-path"],
    ["/admin\\secret", "other", "bad-path"],
    ["/\\admin%5csecret", "other", "bad-path"],
    ["/x/%2e%2e/admin%2Fsecret", "other", "bad-path"],
    ["/inner%2Fx", "www.example.com", "bad-path"],
    ["/inner%2Fx", "www.example.com.", "bad-path"],
    ["/inner%2Fx", "a.example.com", "drop"],
    // Decoded, these go nowhere that is closer to them.
    ["/projects/group%2Fname", "other", "project"],
    ["/files/a%2Fb", "other", "files"],
    ["/admin/a%2Fb", "other", "admin"],
    ["/admin%252Fsecret", "other", "rest"],
    ["/x%2Fadmin", "other", "rest"],
  ])("path %j of host %j goes to %s", (path, host, name) => {
    expect(nameOf(table, path, host)).toBe(name);
  });

  test("a path that no route takes, stays so whatever it decodes to", () => {
    const few = new RouteTable([route("admin", prefix("/admin"))]);
    expect(nameOf(few, "/admin%2Fx")).toBe("no-route");
  });
});

describe("conditions", () => {
  const only = (kind: object) => new RouteTable([route("yes", kind)]);
  const header = (condition: ValueMatch) => only({ headers: [condition] });

  test("a method that is not listed does not match", () => {
    const table = only({ methods: ["GET", "HEAD"] });
    expect(nameOf(table, "/", "h", {}, "HEAD")).toBe("yes");
    expect(nameOf(table, "/", "h", {}, "POST")).toBe("no-route");
    expect(nameOf(table, "/", "h", {}, "get")).toBe("no-route");
  });

  test.each<[ValueMatch, string | undefined, boolean]>([
    [{ kind: "present", name: "x" }, "", true],
    [{ kind: "present", name: "x" }, undefined, false],
    [{ kind: "absent", name: "x" }, undefined, true],
    [{ kind: "absent", name: "x" }, "1", false],
    [{ kind: "exact", name: "x", value: "ab" }, "ab", true],
    [{ kind: "exact", name: "x", value: "ab" }, "abc", false],
    [{ kind: "prefix", name: "x", value: "ab" }, "abc", true],
    [{ kind: "prefix", name: "x", value: "ab" }, undefined, false],
    [{ kind: "in", name: "x", values: ["a", "b"] }, "b", true],
    [{ kind: "in", name: "x", values: ["a", "b"] }, "c", false],
  ])("header %j with %j: %j", (condition, value, matches) => {
    const fields: Record<string, string> = value === undefined ? {} : { x: value };
    const found = nameOf(header(condition), "/", "h", fields);
    expect(found).toBe(matches ? "yes" : "no-route");
  });

  test("a query parameter is found by its first, decoded value", () => {
    const table = only({ query: [{ kind: "exact", name: "a b", value: "c&d" }] });
    expect(nameOf(table, "/?x=1&a+b=c%26d&a+b=e")).toBe("yes");
    expect(nameOf(table, "/?a+b=e&a+b=c%26d")).toBe("no-route");
  });

  test("of two routes with the same path, the one with more conditions comes first", () => {
    const table = new RouteTable([
      route("plain", prefix("/a")),
      route("first", { ...prefix("/a"), methods: ["GET"] }),
      route("second", { ...prefix("/a"), methods: ["GET"] }),
      route("both", {
        ...prefix("/a"),
        methods: ["GET"],
        headers: [{ kind: "present", name: "x" }],
      }),
    ]);
    expect(nameOf(table, "/a")).toBe("first");
    expect(nameOf(table, "/a", "h", { x: "" })).toBe("both");
    expect(nameOf(table, "/a", "h", {}, "PUT")).toBe("plain");
  });
});

test.each([
  ["", "a", undefined],
  ["a", "a", ""],
  ["a=", "a", ""],
  ["b=1&a=2", "a", "2"],
  ["ab=1", "a", undefined],
  ["=1", "", undefined],
  ["a=%zz", "a", "%zz"],
  ["&&a=1=2&", "a", "1=2"],
  ["%61=1", "a", "1"],
])("query %j, parameter %j: %j", (query, name, value) => {
  expect(queryParameter(query, name)).toBe(value);
});

test("one route that takes everything is the only one; any other is not", () => {
  expect(new RouteTable([route("a")]).only?.settings.name).toBe("a");
  expect(new RouteTable([route("a", { hosts: ["x"] })]).only).toBeNull();
  expect(new RouteTable([route("a", { methods: ["GET"] })]).only).toBeNull();
  expect(new RouteTable([route("a"), route("b")]).only).toBeNull();
});

/** The order of the documentation, spelled out over plain data. */
function slowFind(routes: readonly RouteSettings[], path: string, host: string): string {
  const segmentsOf = (text: string) => text.replace(/\/$/, "").split("/").slice(1);
  const hostRank = (r: RouteSettings): number => {
    if (r.match.hosts.length === 0) return 0;
    if (r.match.hosts.includes(host)) return 1_000;
    const wild = r.match.hosts.filter((h) => h.startsWith("*") && host.endsWith(h.slice(1)));
    return wild.length === 0 ? -1 : Math.max(...wild.map((h) => h.length));
  };
  const holds = ({ match }: RouteSettings): boolean => {
    if (match.path === null) return true;
    const { kind, value } = match.path;
    if (kind === "exact") return path === value;
    const here = path.split("/").slice(1);
    if (kind === "prefix") return segmentsOf(value).every((s, i) => here[i] === s);
    const open = value.endsWith("/*");
    const wanted = value.split("/").slice(1, open ? -1 : undefined);
    if (open ? here.length <= wanted.length : here.length !== wanted.length) return false;
    return wanted.every((s, i) => (s.startsWith(":") ? here[i] !== "" : here[i] === s));
  };
  const key = (r: RouteSettings, index: number): number[] => {
    const { path: p, methods } = r.match;
    const open = p === null || p.kind === "prefix" || p.value.endsWith("/*");
    const segments = p === null ? [] : segmentsOf(p.value).filter((s) => s !== "*");
    const literals = p === null ? -1 : segments.filter((s) => !s.startsWith(":")).length;
    return [
      hostRank(r),
      p?.kind === "exact" ? 1 : 0,
      literals,
      open ? 0 : 1,
      segments.length,
      p?.kind === "pattern" ? 1 : 0,
      methods.length > 0 ? 1 : 0,
      -index,
    ];
  };
  const candidates = routes
    .map((r, i) => ({ r, key: key(r, i) }))
    .filter(({ r }) => hostRank(r) >= 0 && holds(r) && r.match.methods.length < 2);
  candidates.sort((a, b) => {
    const at = a.key.findIndex((part, i) => part !== b.key[i]);
    return at < 0 ? 0 : b.key[at]! - a.key[at]!;
  });
  return candidates[0]?.r.name ?? "no-route";
}

test("any routes and request: agrees with the order of the documentation", () => {
  const names = fc.constantFrom("a", "b", "c");
  const path = fc.oneof(
    fc.constant(null),
    fc
      .array(names, { maxLength: 3 })
      .chain((s) =>
        fc.constantFrom<PathMatch>(
          { kind: "exact", value: `/${s.join("/")}` },
          { kind: "prefix", value: `/${s.join("/")}` },
        ),
      ),
    fc
      .tuple(
        fc.array(fc.constantFrom("a", "b", ":x"), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
      )
      .map(
        ([s, open]): PathMatch => ({
          kind: "pattern",
          value: `/${s.map((x, i) => (x === ":x" ? `:x${i}` : x)).join("/")}${open ? "/*" : ""}`,
        }),
      ),
  );
  const hosts = fc.subarray(["a.x.org", "x.org", "*.x.org", "*.a.x.org"], { maxLength: 2 });
  // Of the methods, ["PUT", "POST"] never holds for a GET.
  const methods = fc.constantFrom<readonly string[]>([], ["GET"], ["PUT", "POST"]);
  const match = fc.record({ hosts, path, methods });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(match, { minLength: 1, maxLength: 8 }),
        // Enough for the index by first segment.
        fc.array(match, { minLength: 24, maxLength: 60 }),
      ),
      fc.array(names, { maxLength: 4 }).map((s) => `/${s.join("/")}`),
      fc.constantFrom("a.x.org", "x.org", "b.a.x.org", "b.x.org", "other"),
      (matches, target, host) => {
        const routes = matches.map((m, i) => route(`r${i}`, m));
        expect(nameOf(new RouteTable(routes), target, host)).toBe(slowFind(routes, target, host));
      },
    ),
  );
});
