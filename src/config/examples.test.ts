import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SeededRng } from "../core/random.ts";
import { routeProgram } from "../proxy/route/program.ts";
import { loadYaml } from "./load.ts";
import { formatProblems } from "./problem.ts";

const root = new URL("../../", import.meta.url);
const examples = readdirSync(new URL("examples", root)).filter((name) => name.endsWith(".yaml"));

test.each(["millrace.yaml", ...examples.map((name) => `examples/${name}`)])(
  "%s loads without a problem and makes a program",
  (name) => {
    const result = loadYaml(readFileSync(new URL(name, root), "utf8"), name, {});
    if (!result.ok) throw new Error(formatProblems(result.problems));
    expect(formatProblems(result.warnings)).toBe("");
    for (const { routes } of result.config.listeners) {
      expect(routeProgram(routes!, new SeededRng(1)).upstreamPeer).toBeTypeOf("function");
    }
  },
);

test("the repository's own file needs the demo origin, and listens where the README says", () => {
  const result = loadYaml(readFileSync(new URL("millrace.yaml", root), "utf8"), "m", {});
  expect(result).toMatchObject({
    ok: true,
    config: {
      demo: true,
      admin: { ip: "127.0.0.1", port: 9901 },
      listeners: [{ addresses: [{ ip: "127.0.0.1", port: 8080 }] }],
    },
  });
});
