import type { ProxyProgram } from "../proxy/program.ts";
import { type Draft, describeValue } from "./problem.ts";
import { moduleSchema } from "./schema.ts";
import { didYouMean } from "./suggest.ts";

/** Every phase; the type makes the compiler find one that is missing here. */
const phases = {
  newContext: true,
  bridge: true,
  earlyRequestFilter: true,
  requestFilter: true,
  upstreamPeer: true,
  connectedToUpstream: true,
  failToConnect: true,
  compression: true,
  upstreamRequestFilter: true,
  requestBodyFilter: true,
  upstreamResponseFilter: true,
  upstreamResponseBodyFilter: true,
  responseFilter: true,
  responseBodyFilter: true,
  responseTrailerFilter: true,
  webSocketMessage: true,
  errorWhileProxy: true,
  failToProxy: true,
  logging: true,
} satisfies Record<keyof ProxyProgram, true>;

const staticKeys = Object.keys(moduleSchema.shape);

/** What is wrong with the phases of a module, and with keys that are neither phase nor setting. */
export function checkPhases(defaultExport: unknown): readonly Draft[] {
  const expected = "a default export made by defineProxy({ … })";
  if (typeof defaultExport !== "object" || defaultExport === null || Array.isArray(defaultExport)) {
    return [draft([], "value", describeValue(defaultExport), expected)];
  }
  const drafts: Draft[] = [];
  for (const key of keysOf(defaultExport)) {
    const value = (defaultExport as Record<string, unknown>)[key];
    if (Object.hasOwn(phases, key)) {
      if (typeof value !== "function" && value !== undefined) {
        drafts.push(draft([key], "value", describeValue(value), "a function"));
      }
    } else if (!staticKeys.includes(key)) drafts.push(unknownKey(key));
  }
  if (!("upstreamPeer" in defaultExport)) {
    drafts.push(draft(["upstreamPeer"], "value", "nothing", "a function: every proxy needs it"));
  }
  return drafts;
}

/** The settings of a module as plain data for the schema; null when it is no object. */
export function staticPart(defaultExport: unknown): Record<string, unknown> | null {
  if (typeof defaultExport !== "object" || defaultExport === null) return null;
  const settings = defaultExport as Record<string, unknown>;
  return Object.fromEntries(
    staticKeys.filter((key) => settings[key] !== undefined).map((key) => [key, settings[key]]),
  );
}

/** Own keys, and for an instance of a class also its methods. */
function keysOf(value: object): ReadonlySet<string> {
  const keys = new Set(Object.keys(value));
  for (const phase of Object.keys(phases)) if (phase in value) keys.add(phase);
  return keys;
}

function unknownKey(key: string): Draft {
  const known = [...Object.keys(phases), ...staticKeys];
  const found = `the unknown key ${describeValue(key)}`;
  const fix = didYouMean(key, known);
  return draft([key], "key", found, `a phase or one of ${staticKeys.join(", ")}`, fix);
}

function draft(
  path: string[],
  at: Draft["at"],
  found: string,
  expected: string,
  fix?: string,
): Draft {
  return { severity: "error", path, at, found, expected, ...(fix !== undefined && { fix }) };
}
