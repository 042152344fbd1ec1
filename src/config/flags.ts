import { checkReferences } from "./checks.ts";
import { compileFile } from "./compile.ts";
import { validate } from "./diagnose.ts";
import type { EffectiveConfig } from "./effective.ts";
import type { Draft, LoadResult, Problem } from "./problem.ts";
import { fileSchema } from "./schema.ts";

/** What `millrace proxy --listen A --to B --to C` was given; text as it stood on the command line. */
export interface ProxyFlags {
  readonly listen: readonly string[];
  readonly to: readonly string[];
  readonly workers?: string | number | undefined;
  readonly admin?: string | undefined;
  readonly driver?: string | undefined;
}

const defaultListen = "127.0.0.1:8080";
const addEndpoint = "Add --to 127.0.0.1:9000, say, or name a configuration file.";

/** The same configuration as a file with one listener, one upstream and a route from all to it. */
export function configFromFlags(flags: ProxyFlags): LoadResult<EffectiveConfig> {
  const raw = {
    listeners: [
      {
        name: "default",
        listen: flags.listen.length > 0 ? [...flags.listen] : [defaultListen],
        routes: [{ name: "default", upstream: "default" }],
      },
    ],
    upstreams: { default: { endpoints: [...flags.to] } },
    ...(flags.workers !== undefined && { workers: wholeNumber(flags.workers) }),
    ...(flags.admin !== undefined && { admin: flags.admin }),
    ...(flags.driver !== undefined && { driver: flags.driver }),
  };
  const { parsed, drafts } = validate(fileSchema, raw);
  const problems = [...drafts, ...checkReferences(raw, "file")].map(asFlagProblem);
  if (parsed === null || problems.length > 0) return { ok: false, problems };
  return { ok: true, config: compileFile(parsed), warnings: [] };
}

/** Numbers become numbers; all else stays as it is, for the schema to refuse. */
function wholeNumber(value: string | number): string | number {
  return typeof value === "string" && /^\d{1,6}$/.test(value) ? Number(value) : value;
}

function asFlagProblem(draft: Draft): Problem {
  const flag = flagOf(draft);
  if (flag === "--to" && draft.path.length === 3) {
    return problem(flag, "nothing", "at least one endpoint", addEndpoint);
  }
  // A flag is given again where a file has a list, and has no map.
  const expected = draft.expected
    .replace("{ listen: ADDRESS }", 'an address such as "127.0.0.1:9901"')
    .replace(/, or a list of these|, or \{ address, weight \}|; use weight.*/, "");
  return problem(flag, draft.found, expected, draft.fix);
}

function flagOf({ path }: Draft): string {
  if (path[0] === "listeners") return "--listen";
  if (path[0] === "upstreams") return "--to";
  return `--${String(path[0])}`;
}

function problem(flag: string, found: string, expected: string, fix?: string): Problem {
  const base = {
    severity: "error",
    file: "",
    line: 0,
    column: 0,
    path: flag,
    found,
    expected,
  } as const;
  return fix === undefined ? base : { ...base, fix };
}
