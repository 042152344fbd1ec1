import { type Document, visit } from "yaml";

/** Values by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable that is not set, or a `${` that nothing closes. */
export interface EnvironmentProblem {
  readonly offset: number;
  readonly found: string;
  readonly expected: string;
}

const reference = /\$\$\{|\$\{([^}\n]*)(\}?)/g;

/**
 * Replaces `${NAME}` and `${NAME:-default}` in the values of a document (not in its keys); `$${` stands
 * for a plain `${`. The default also stands in for an empty variable, as in a shell. A value without
 * quotes is read anew afterwards, so `workers: ${WORKERS}` can be a number; it stays one scalar,
 * whatever the variable holds.
 */
export function substituteEnvironment(
  document: Document,
  env: Environment,
): readonly EnvironmentProblem[] {
  const problems: EnvironmentProblem[] = [];
  visit(document, {
    Scalar(key, node) {
      if (key === "key" || typeof node.value !== "string" || !node.value.includes("${")) return;
      const text = node.value.replace(reference, (whole, inner: string, close: string) => {
        if (whole === "$${") return "${";
        const outcome = lookUp(inner, close, env);
        if (typeof outcome === "string") return outcome;
        problems.push({ offset: node.range?.[0] ?? 0, ...outcome });
        return "";
      });
      node.value = node.type === "PLAIN" ? readScalar(text) : text;
    },
  });
  return problems;
}

function lookUp(
  inner: string,
  close: string,
  env: Environment,
): string | Omit<EnvironmentProblem, "offset"> {
  const parts = /^([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?$/.exec(inner);
  if (close === "" || parts === null) {
    const found = JSON.stringify(`\${${inner}${close}`);
    return {
      found,
      expected: `a variable as in "\${NAME}" or "\${NAME:-default}"; "$\${" for a plain "\${"`,
    };
  }
  const name = parts[1]!;
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  const fallback = parts[3];
  if (fallback !== undefined && (value === undefined || value === "")) return fallback;
  if (value !== undefined) return value;
  return {
    found: `no variable ${name} in the environment`,
    expected: `one, or a default as in "\${${name}:-value}"`,
  };
}

/**
 * A number or a boolean that is written as JSON would write it; all else stays the text that it is, so
 * that "007" or "1e3" in a variable is not rewritten on its way to a header.
 */
function readScalar(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  const n = Number(text);
  return Number.isFinite(n) && String(n) === text ? n : text;
}
