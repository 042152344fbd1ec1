import type * as z from "zod";
import { knownKeys } from "./known-keys.ts";
import { type Draft, describeValue, type PathStep } from "./problem.ts";
import { didYouMean } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

/** Checks plain data against a schema: what it means, or everything that is wrong with it. */
export function validate<S extends z.ZodType>(
  schema: S,
  raw: unknown,
): { readonly parsed: z.output<S> | null; readonly drafts: readonly Draft[] } {
  const result = schema.safeParse(raw, { error: expectation });
  if (result.success) return { parsed: result.data, drafts: [] };
  const drafts = result.error.issues.flatMap((issue) => diagnose(issue, [], schema, raw));
  return { parsed: null, drafts };
}

/** The value at a path of plain data; undefined where the path leaves it. */
export function valueAt(raw: unknown, path: readonly PathStep[]): unknown {
  let value = raw;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Record<PathStep, unknown>)[step];
  }
  return value;
}

function diagnose(
  issue: Issue,
  base: readonly PathStep[],
  schema: z.ZodType,
  raw: unknown,
): readonly Draft[] {
  const path = [...base, ...(issue.path as PathStep[])];
  const value = valueAt(raw, path);
  if (issue.code === "invalid_union") {
    const meant = meantOption(issue, value);
    if (meant !== null) return meant.flatMap((inner) => diagnose(inner, path, schema, raw));
    const stray = strayKey(value, knownKeys(schema, path));
    if (stray !== undefined) return [unknownKey(stray, path, schema)];
  }
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(key, path, schema));
  }
  if (issue.code === "invalid_key") {
    const key = String(path.at(-1));
    const expected = issue.issues[0]?.message ?? issue.message;
    return [error(path, "key", `the key ${describeValue(key)}`, expected)];
  }
  return [error(path, "value", describeValue(value), issue.message, fixFor(issue, value))];
}

/** Of the alternatives of a union, the one that was evidently meant: an entry that failed within. */
function meantOption(issue: z.core.$ZodIssueInvalidUnion, value: unknown): readonly Issue[] | null {
  if (typeof value !== "object" || value === null) return null;
  const fitting = issue.errors.filter((issues) => !issues.some(isWrongKind));
  if (fitting.length === 1) return fitting[0]!;
  const within = fitting.filter((issues) => issues.every((inner) => inner.path.length > 0));
  return within.length === 1 ? within[0]! : null;
}

/** A key of a map that none of the alternatives knows. */
function strayKey(value: unknown, known: readonly string[]): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return known.length === 0 ? undefined : Object.keys(value).find((key) => !known.includes(key));
}

const isWrongKind = (issue: Issue): boolean =>
  issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value");

function unknownKey(key: string, parent: readonly PathStep[], schema: z.ZodType): Draft {
  const keys = knownKeys(schema, parent);
  const found = `the unknown key ${describeValue(key)}`;
  return error([...parent, key], "key", found, `one of ${keys.join(", ")}`, didYouMean(key, keys));
}

function fixFor(issue: Issue, value: unknown): string | undefined {
  const words = wordsOf(issue);
  if (words.length > 0 && typeof value === "string") {
    const meant = didYouMean(value, words);
    if (meant !== undefined) return meant;
  }
  if (typeof value === "number" && /^a duration/.test(issue.message)) {
    return `Write "${value}s" for seconds or "${value}ms" for milliseconds.`;
  }
  if (typeof value === "number" && /^a size/.test(issue.message)) {
    return `Write "${value}B" for bytes, or use KiB, MiB, KB, MB.`;
  }
  if (typeof value === "string" && /^an address/.test(issue.message)) return addressFix(value);
  if (value === null) return "Write a value, or leave the key out.";
  return undefined;
}

/** The words that an issue's schema would have taken. */
function wordsOf(issue: Issue): readonly string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  return issue.code === "invalid_union" ? issue.errors.flat().flatMap(wordsOf) : [];
}

function addressFix(text: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)/i.exec(text);
  if (scheme !== null) {
    const host = scheme[2]!;
    const port = /:\d+$/.test(host) ? "" : scheme[1] === "https" ? ":443" : ":80";
    return `Write "${host}${port}", without the scheme.`;
  }
  if (/^:\d+$/.test(text))
    return `Write "*${text}" for every IPv4 address, "[::]${text}" for IPv6.`;
  if (/^\d+$/.test(text)) return `Write "127.0.0.1:${text}".`;
  if (/^[\w.-]+$/.test(text)) return `Add the port: "${text}:80".`;
  return undefined;
}

function error(
  path: readonly PathStep[],
  at: Draft["at"],
  found: string,
  expected: string,
  fix?: string,
): Draft {
  return { severity: "error", path, at, found, expected, ...(fix !== undefined && { fix }) };
}

/** The phrase for issues whose schema brings none of its own. */
function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return kinds.get(issue.expected) ?? `a value of type ${issue.expected}`;
    case "invalid_value":
      return issue.values.length === 1
        ? describeValue(issue.values[0])
        : `one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return issue.origin === "array"
        ? `a list of at least ${issue.minimum}`
        : `at least ${issue.minimum}`;
    case "too_big":
      return `at most ${issue.maximum}`;
    default:
      return undefined;
  }
}

const kinds: ReadonlyMap<string, string> = new Map([
  ["string", "text"],
  ["number", "a number"],
  ["int", "a whole number"],
  ["boolean", "true or false"],
  ["array", "a list"],
  ["object", "a map"],
  ["record", "a map"],
]);
