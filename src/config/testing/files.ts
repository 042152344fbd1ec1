import { loadYaml } from "../load.ts";
import { formatProblems, type Problem } from "../problem.ts";

/** The smallest file that is right. */
export const minimal = `listeners:
  - listen: 127.0.0.1:8080
    routes:
      - upstream: app
upstreams:
  app: { endpoints: ["127.0.0.1:9000"] }
`;

/** What a right file means; throws the problems of a wrong one. */
export function load(text: string, env = {}) {
  const result = loadYaml(text, "m.yaml", env);
  if (!result.ok) throw new Error(formatProblems(result.problems));
  return result;
}

/** The problems of a file, of a right one its warnings. */
export function problems(text: string, env = {}): readonly Problem[] {
  const result = loadYaml(text, "m.yaml", env);
  return result.ok ? result.warnings : result.problems;
}

/** The smallest file with these lines in place of its route's, or with an entry more. */
export const inRoute = (...lines: string[]) =>
  minimal.replace("upstream: app\n", () => `${lines.join("\n        ")}\n`);
export const inListener = (line: string) =>
  minimal.replace("    routes:", `    ${line}\n    routes:`);
export const inUpstream = (entry: string) => minimal.replace('9000"]', `9000"], ${entry}`);
