import { type Document, LineCounter, parseDocument, type YAMLParseError } from "yaml";
import { checkReferences } from "./checks.ts";
import { compileFile, compileModule } from "./compile.ts";
import { validate } from "./diagnose.ts";
import type { EffectiveConfig } from "./effective.ts";
import { type Environment, substituteEnvironment } from "./environment.ts";
import { SourceMap } from "./locate.ts";
import { checkPhases, staticPart } from "./module-phases.ts";
import { type Draft, formatPath, type LoadResult, type Problem } from "./problem.ts";
import { fileSchema, moduleSchema } from "./schema.ts";

/**
 * Reads a YAML configuration. Never throws: all that is wrong comes back at once, in the order of the
 * file. `env` serves `${NAME}` in values.
 */
export function loadYaml(
  text: string,
  fileName: string,
  env: Environment = process.env,
): LoadResult<EffectiveConfig> {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const source = new SourceMap(fileName, text, document, counter);
  // What follows a syntax error is guesswork; a doubled key is not one in that sense.
  const syntax = document.errors.find((error) => error.code !== "DUPLICATE_KEY");
  if (syntax !== undefined) return failed([syntaxProblem(syntax, source)]);
  const problems = document.errors.map(({ pos }) =>
    source.problemAt(pos[0], "this key twice", "each key once in a map"),
  );

  const unset = substituteEnvironment(document, env).map(({ offset, found, expected }) =>
    source.problemAt(offset, found, expected),
  );
  problems.push(...unset);
  const raw = plainData(document);
  if (raw instanceof Error) {
    return failed([...problems, source.problemAt(0, raw.message, "a YAML document without that")]);
  }
  const { parsed, drafts } = validate(fileSchema, raw);
  const all = withoutEchoes([...drafts, ...checkReferences(raw, "file")]);
  // What stands where a variable is missing is wrong because of that.
  const consequence = (problem: Problem): boolean => unset.some((u) => isSamePlace(u, problem));
  const found = all.map((draft) => source.problem(draft)).filter((p) => !consequence(p));
  problems.push(...found);
  if (parsed === null || problems.some(isError)) return failed(problems);
  return { ok: true, config: compileFile(parsed), warnings: inOrder(problems) };
}

/**
 * Checks what a proxy module exports by default: that its phases are functions, and its static part
 * against the same schemas as a file's. Problems have paths, no lines.
 */
export function loadModule(defaultExport: unknown, fileName: string): LoadResult<EffectiveConfig> {
  const phases = checkPhases(defaultExport);
  const raw = staticPart(defaultExport);
  const { parsed, drafts } =
    raw === null ? { parsed: null, drafts: [] } : validate(moduleSchema, raw);
  const all = withoutEchoes([...phases, ...drafts, ...checkReferences(raw, "module")]);
  const problems = all.map((draft) => moduleProblem(draft, fileName));
  if (parsed === null || problems.some(isError)) return { ok: false, problems };
  return { ok: true, config: compileModule(parsed), warnings: problems };
}

function syntaxProblem(error: YAMLParseError, source: SourceMap): Problem {
  const found = `a mistake in the YAML (${error.message.replace(/\.$/, "")})`;
  const problem = source.problemAt(error.pos[0], found, "well-formed YAML");
  if (!/[{[,]\s*[^"'#]*\$\{/.test(problem.source ?? "")) return problem;
  return { ...problem, fix: `Inside { } and [ ], put quotes around a variable: "\${NAME}".` };
}

/** The document as plain data; an Error when aliases do not resolve or explode. */
function plainData(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Without a second complaint about a place that has one of the same severity. */
function withoutEchoes(drafts: readonly Draft[]): readonly Draft[] {
  const seen = new Set<string>();
  return drafts.filter(({ severity, path, at }) => {
    const key = `${severity} ${at} ${formatPath(path)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

const isSamePlace = (a: Problem, b: Problem): boolean => a.line === b.line && a.column === b.column;

const isError = (problem: Problem): boolean => problem.severity === "error";

function failed(problems: readonly Problem[]): LoadResult<EffectiveConfig> {
  return { ok: false, problems: inOrder(problems) };
}

function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function moduleProblem({ severity, path, found, expected, fix }: Draft, file: string): Problem {
  const base = { severity, file, line: 0, column: 0, path: formatPath(path), found, expected };
  return fix === undefined ? base : { ...base, fix };
}
