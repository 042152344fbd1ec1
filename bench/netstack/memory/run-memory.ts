import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { say } from "../../harness/report.ts";
import { spread } from "../../harness/statistics.ts";
import type { Options } from "../options.ts";
import type { IdleMemory, MemoryFigure, MemoryResult } from "../results.ts";

const run = promisify(execFile);
const program = join(import.meta.dirname, "..", "programs", "memory.ts");
const LONGEST_MS = 60_000;

/** Each round in a process of its own, all scenarios in turn; then where their time goes. */
export async function runMemory(
  { rounds, millis }: Options,
  interrupted: AbortSignal,
): Promise<readonly MemoryResult[]> {
  const taken: (readonly MemoryFigure[])[] = [];
  for (let round = 1; round <= rounds; round++) {
    const figures = await ask<readonly MemoryFigure[]>(interrupted, [], "round", String(millis));
    taken.push(figures);
    const text = figures.map(({ name, perSecond }) => `${name} ${perSecond.toPrecision(3)}`);
    say(`  ${round}/${rounds}  ${text.join(", ")}`);
  }
  const layers = await ask<readonly Record<string, number>[]>(
    interrupted,
    [],
    "layers",
    String(millis),
  );
  return taken[0]!.map(({ name, describes, unit }, i) => ({
    name,
    describes,
    unit,
    perSecond: spread(taken.map((figures) => figures[i]!.perSecond)),
    cpuPerPacketMicros: spread(taken.map((figures) => figures[i]!.cpuPerPacketMicros)),
    layers: layers[i]!,
  }));
}

export const runIdle = (interrupted: AbortSignal): Promise<IdleMemory> =>
  ask(interrupted, ["--expose-gc"], "idle");

async function ask<T>(
  signal: AbortSignal,
  flags: readonly string[],
  ...args: readonly string[]
): Promise<T> {
  const options = { timeout: LONGEST_MS, signal };
  const { stdout } = await run(process.execPath, [...flags, program, ...args], options);
  return JSON.parse(stdout) as T;
}
