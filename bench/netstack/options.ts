import { parseFlags, pick, positive } from "../harness/command-line.ts";

const PARTS = [{ name: "tap" }, { name: "memory" }, { name: "idle" }] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  readonly parts: ReadonlySet<Part["name"]>;
  readonly rounds: number;
  /** Of each measurement; a quarter of it more to warm up. */
  readonly millis: number;
  /** A missing program, or no rights for TAP devices, fails the run. */
  readonly requireAll: boolean;
  /** Where the results go besides bench/out. */
  readonly save: string | null;
}

export const usage = `Usage: npm run bench:netstack -- [options]
  --only PARTS    comma-separated: ${PARTS.map((part) => part.name).join(", ")}
  --rounds N      A B C D, A B C D, … (default 5)
  --millis N      of each measurement (default 700)
  --quick         3 rounds of 300 ms
  --require-all   fail when a program is missing instead of leaving it out
  --save FILE     also write the results there
`;

export function parseOptions(args: readonly string[]): Options {
  const values = parseFlags(args, {
    only: { type: "string" },
    rounds: { type: "string" },
    millis: { type: "string" },
    quick: { type: "boolean" },
    "require-all": { type: "boolean" },
    save: { type: "string" },
  });
  const quick = values.quick === true;
  return {
    parts: new Set(pick<Part>("--only", values.only, PARTS, PARTS).map((part) => part.name)),
    rounds: positive("--rounds", values.rounds, quick ? 3 : 5),
    millis: positive("--millis", values.millis, quick ? 300 : 700),
    requireAll: values["require-all"] === true,
    save: values.save ?? null,
  };
}
