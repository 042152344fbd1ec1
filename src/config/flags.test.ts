import { expect, test } from "vitest";
import { configFromFlags, type ProxyFlags } from "./flags.ts";
import { formatProblems } from "./problem.ts";

const text = (flags: ProxyFlags): string => {
  const result = configFromFlags(flags);
  return result.ok ? "ok" : formatProblems(result.problems);
};

test("listen and to: one listener, one upstream, one route", () => {
  const result = configFromFlags({
    listen: ["127.0.0.1:8080", "[::1]:8080"],
    to: ["127.0.0.1:9000", "app.internal:80"],
    workers: "2",
    admin: "off",
    driver: "node",
  });
  if (!result.ok) throw new Error(formatProblems(result.problems));
  const { config } = result;
  expect(config).toMatchObject({ workers: 2, admin: null, driver: "node", demo: false });
  expect(config.listeners).toHaveLength(1);
  expect(config.listeners[0]!.addresses).toHaveLength(2);
  expect(config.listeners[0]!.routes).toHaveLength(1);
  expect(config.upstreams.map((u) => u.endpoints.map((e) => e.target))).toEqual([
    [
      { kind: "ip", ip: "127.0.0.1", port: 9000 },
      { kind: "name", host: "app.internal", port: 80 },
    ],
  ]);
});

test("no listen: 127.0.0.1:8080, with the admin on 127.0.0.1:9901", () => {
  const result = configFromFlags({ listen: [], to: ["127.0.0.1:9000"] });
  expect(result).toMatchObject({
    ok: true,
    config: {
      workers: "auto",
      admin: { ip: "127.0.0.1", port: 9901 },
      listeners: [{ addresses: [{ ip: "127.0.0.1", port: 8080 }] }],
    },
  });
});

test.each<[string, Partial<ProxyFlags>, RegExp]>([
  ["no --to", { to: [] }, /^--to: found nothing, expected at least one endpoint/],
  ["a strange scheme in --to", { to: ["ftp://x:1/"] }, /^--to: .* Write "x:1", without the scheme/],
  ["a port alone in --listen", { listen: ["80"] }, /^--listen: .* Write "127\.0\.0\.1:80"/],
  ["--listen twice", { listen: ["127.0.0.1:1", "127.0.0.1:1"] }, /^--listen: .*taken by/],
  [
    "--listen on the admin's address",
    { listen: ["127.0.0.1:9901"] },
    /^--listen: .*taken by admin/,
  ],
  ["--to twice", { to: ["h:1", "h:1"] }, /^--to: .* a second time, expected each endpoint once\./],
  ["--workers of 0", { workers: "0" }, /^--workers: found 0, expected a whole number/],
  ["--workers of text", { workers: "many" }, /^--workers: found "many"/],
  ["a bad --admin", { admin: "9901" }, /^--admin: found "9901"/],
  ["a bad --driver", { driver: "epol" }, /^--driver: .* Did you mean "epoll"\?/],
])("%s is a problem that names its flag", (_, flags, expected) => {
  expect(text({ listen: [], to: ["127.0.0.1:9000"], ...flags })).toMatch(expected);
});

test("several mistakes come back together", () => {
  const lines = text({ listen: ["x"], to: ["y"], workers: "z" }).split("\n");
  expect(lines.map((line) => line.split(":")[0]).toSorted()).toEqual([
    "--listen",
    "--to",
    "--workers",
  ]);
});
