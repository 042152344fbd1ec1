// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration's own notation
import { describe, expect, test } from "vitest";
import { inRoute, load, minimal, problems } from "./testing/files.ts";

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
