import { parseSegment, type Segment } from "./segment.ts";

/** When a step happens after the one before, in microseconds; expectations may have a range. */
export interface Delay {
  readonly least: number;
  readonly most: number;
}

export type Action =
  | { readonly kind: "inject"; readonly segment: Segment }
  | { readonly kind: "expect"; readonly segment: Segment }
  | { readonly kind: "icmp"; readonly what: string; readonly quoted: number; readonly mtu: number }
  /** A call, an event or an assertion: a verb and its arguments. */
  | { readonly kind: "verb"; readonly verb: string; readonly words: readonly string[] };

export interface Step {
  readonly line: number;
  readonly text: string;
  readonly delay: Delay;
  readonly action: Action;
}

export interface Script {
  readonly name: string;
  /** `set NAME VALUE` before the first step. */
  readonly settings: ReadonlyMap<string, string>;
  readonly steps: readonly Step[];
}

/** What is wrong with a script or with what it saw. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
}

export function parseScript(name: string, text: string): Script {
  const settings = new Map<string, string>();
  const steps: Step[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/(^|\s)#.*$/, "").trim();
    if (line === "") continue;
    const setting = /^set\s+(\S+)\s+(\S+)$/.exec(line);
    try {
      if (setting === null) steps.push(parseStep(index + 1, line));
      else if (steps.length === 0) settings.set(setting[1]!, setting[2]!);
      else throw new Error("set has to come before the first step");
    } catch (error) {
      throw new ScriptError(`${name}:${index + 1}: ${(error as Error).message}\n  ${line}`);
    }
  }
  return { name, settings, steps };
}

function parseStep(line: number, text: string): Step {
  const match = /^(\+\S+\s+)?([<>])?\s*(.*)$/.exec(text);
  const [, time, direction, rest] = match!;
  return { line, text, delay: parseDelay(time?.trim()), action: parseAction(direction, rest!) };
}

/** `+0.2`, or `+0.2~0.3` for something that may come anywhere in between. */
function parseDelay(text: string | undefined): Delay {
  if (text === undefined) return { least: 0, most: 0 };
  const match = /^\+(\d+(?:\.\d+)?)(?:~(\d+(?:\.\d+)?))?$/.exec(text);
  if (match === null) throw new Error(`not a time: ${text}`);
  const least = Math.round(Number(match[1]) * 1e6);
  return { least, most: match[2] === undefined ? least : Math.round(Number(match[2]) * 1e6) };
}

function parseAction(direction: string | undefined, rest: string): Action {
  if (direction === ">") return { kind: "expect", segment: parseSegment(rest) };
  if (direction === "<") {
    const icmp = /^icmp\s+([\w-]+)(?:\s+mtu\s+(\d+))?\s+quoting\s+(\d+)$/.exec(rest);
    if (icmp === null) return { kind: "inject", segment: parseSegment(rest) };
    return { kind: "icmp", what: icmp[1]!, mtu: Number(icmp[2] ?? 0), quoted: Number(icmp[3]) };
  }
  const [verb, ...words] = rest.split(/\s+/);
  return { kind: "verb", verb: verb!, words };
}
