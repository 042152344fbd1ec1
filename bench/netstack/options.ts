import { parseArgs } from "node:util";

export type Part = "tap" | "memory" | "idle";
const PARTS: readonly Part[] = ["tap", "memory", "idle"];

export interface Options {
  readonly parts: readonly Part[];
  readonly rounds: number;
  /** Of each measurement; a quarter of it more to warm up. */
  readonly millis: number;
  /** A missing program, or no rights for TAP devices, fails the run. */
  readonly requireAll: boolean;
  /** Where the results go besides bench/out. */
  readonly save: string | null;
}

export class UsageError extends Error {}

export const usage = `Usage: npm run bench:netstack -- [options]
  --only PARTS    comma-separated: ${PARTS.join(", ")}
  --rounds N      A B C D, A B C D, … (default 5)
  --millis N      of each measurement (default 700)
  --quick         3 rounds of 300 ms
  --require-all   fail when a program is missing instead of leaving it out
  --save FILE     also write the results there
`;

export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  const quick = values.quick === true;
  return {
    parts: values.only === undefined ? PARTS : values.only.split(",").map(part),
    rounds: positive("--rounds", values.rounds, quick ? 3 : 5),
    millis: positive("--millis", values.millis, quick ? 300 : 700),
    requireAll: values["require-all"] === true,
    save: values.save ?? null,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: "string" },
        rounds: { type: "string" },
        millis: { type: "string" },
        quick: { type: "boolean" },
        "require-all": { type: "boolean" },
        save: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function part(name: string): Part {
  const found = PARTS.find((one) => one === name);
  if (found !== undefined) return found;
  throw new UsageError(`--only: found "${name}", expected ${PARTS.join(", ")}`);
}

function positive(flag: string, text: string | undefined, byDefault: number): number {
  const value = text === undefined ? byDefault : Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`${flag}: found "${text}", expected a positive integer`);
}
