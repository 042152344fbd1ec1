import { describe, expect, expectTypeOf, test } from "vitest";
import { defineProxy } from "./define.ts";
import { loadModule } from "./load.ts";
import { formatProblems } from "./problem.ts";

const upstreamPeer = () => "app";
const upstreams = { app: { endpoints: ["127.0.0.1:9000"] } };

const problemsOf = (value: unknown): string => {
  const result = loadModule(value, "app.ts");
  return result.ok ? "ok" : formatProblems(result.problems);
};

test("a module with phases and upstreams: listens on 127.0.0.1:8080 without routes", () => {
  const result = loadModule(defineProxy({ upstreams, upstreamPeer }), "app.ts");
  expect(result).toMatchObject({
    ok: true,
    warnings: [],
    config: {
      listeners: [{ routes: null, settings: { name: "127.0.0.1:8080" } }],
      upstreams: [{ name: "app" }],
    },
  });
});

test("the configuration of a module crosses to a worker thread", () => {
  const result = loadModule({ upstreamPeer, logging: () => {}, workers: 2 }, "app.ts");
  if (!result.ok) throw new Error(formatProblems(result.problems));
  expect(structuredClone(result.config)).toEqual(result.config);
});

test("phases may be methods of a class", () => {
  class Program {
    workers = 1;
    upstreamPeer() {
      return "app";
    }
  }
  expect(problemsOf(new Program())).toBe("ok");
});

test.each<[string, unknown, RegExp]>([
  ["no default export", undefined, /^app\.ts {2}found nothing, expected a default export made by/],
  ["a function", () => {}, /found a function, expected a default export/],
  ["a list", [], /found an empty list, expected a default export/],
  ["no upstreamPeer", {}, /upstreamPeer: found nothing, expected a function/],
  ["a phase that is no function", { upstreamPeer: "app" }, /upstreamPeer: found "app", expected a/],
  ["a misspelt phase", { upstreamPeer, requestFiler() {} }, /"requestFiler".*"requestFilter"\?/],
  ["a misspelt setting", { upstreamPeer, worker: 1 }, /"worker".*"workers"\?/],
  ["a wrong setting", { upstreamPeer, workers: 0 }, /workers: found 0, expected a whole number/],
  [
    "routes",
    { upstreamPeer, listeners: [{ listen: "127.0.0.1:80", routes: [] }] },
    /listeners\[0\]\.routes: found the unknown key "routes"/,
  ],
  [
    "a bad endpoint",
    { upstreamPeer, upstreams: { app: { endpoints: ["app"] } } },
    /upstreams\.app\.endpoints\[0\]: .*Add the port/,
  ],
])("%s is a problem with its path", (_, value, expected) => {
  expect(problemsOf(value)).toMatch(expected);
});

describe("types", () => {
  test("the context is what newContext makes", () => {
    defineProxy({
      newContext: () => ({ tries: 0 }),
      upstreamPeer(_session, ctx) {
        expectTypeOf(ctx).toEqualTypeOf<{ tries: number }>();
        return "app";
      },
    });
  });

  test("settings have the forms of the file", () => {
    defineProxy({
      upstreamPeer,
      workers: "auto",
      log: { access: 0.5 },
      // @ts-expect-error a duration needs its unit
      drain: { timeout: 5 },
    });
  });
});
