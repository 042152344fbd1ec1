/** A mistake in a configuration: where it is, what stands there, and what belongs there. */
export interface Problem {
  /** An error keeps the configuration from being used; a warning does not. */
  readonly severity: "error" | "warning";
  /** As the user named it; "" for flags. */
  readonly file: string;
  /** From 1; 0 where there is no text to point at (modules, flags). */
  readonly line: number;
  readonly column: number;
  /** "listeners[0].routes[2].match.path", or a flag; "" for the whole. */
  readonly path: string;
  /** What stands there, ready for print: `"ap"`, `12`, `nothing`. */
  readonly found: string;
  /** What belongs there, as a noun phrase. */
  readonly expected: string;
  /** What to do about it, as a sentence. */
  readonly fix?: string;
  /** The line of the file, for the caret. */
  readonly source?: string;
}

/** A problem that does not know yet where in the text it is. */
export interface Draft {
  readonly severity: Problem["severity"];
  readonly path: readonly PathStep[];
  /** Point at the key of `path`, or at its value. */
  readonly at: "key" | "value";
  readonly found: string;
  readonly expected: string;
  readonly fix?: string;
}

export type PathStep = string | number;

export type LoadResult<T> =
  | { readonly ok: true; readonly config: T; readonly warnings: readonly Problem[] }
  /** `problems` holds the warnings, too. */
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** `listeners[0].match.headers["x y"]`. */
export function formatPath(path: readonly PathStep[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** A value in a message: strings quoted and cut, the rest by kind. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "nothing (null)";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a map";
  if (typeof value === "function") return "a function";
  if (typeof value !== "string") return String(value);
  const text = JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  return text.replace(controls, " ");
}

/** What could steer a terminal; JSON.stringify leaves the second half as it is. */
const controls = /[\u0000-\u001f\u007f-\u009f]/g;

/**
 * One entry a problem: place, path, found, expected, fix; then the line with a caret under the spot.
 * Ends without a line break.
 */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join("\n");
}

function formatProblem(problem: Problem): string {
  const place =
    problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file;
  const what = `found ${problem.found}, expected ${problem.expected}.`;
  const warning = problem.severity === "warning" ? "warning: " : "";
  const subject = problem.path === "" ? what : `${problem.path}: ${what}`;
  const head = `${place === "" ? "" : `${place}  `}${warning}${subject}`;
  const text = problem.fix === undefined ? head : `${head} ${problem.fix}`;
  return problem.source === undefined ? text : `${text}\n${excerpt(problem)}`;
}

function excerpt({ line, column, source = "" }: Problem): string {
  const gutter = `${line} | `;
  // Long lines are cut around the spot so that the caret stays on the screen.
  const from = Math.max(0, column - 80);
  const shown = source.slice(from, from + 120).replace(controls, " ");
  const caret = " ".repeat(gutter.length - 2);
  return `  ${gutter}${shown}\n  ${caret}| ${" ".repeat(column - 1 - from)}^`;
}
