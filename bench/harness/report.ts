import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { dirname, join } from "node:path";

const outFolder = join(import.meta.dirname, "..", "out");

/** What every benchmark's JSON begins with. */
export interface ReportHeader {
  readonly takenAt: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly kernel: string;
    /** Of the minute before the run: above 0.5, others were at work. */
    readonly loadAverage: number;
  };
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
}

export function reportHeader(
  versions: Readonly<Record<string, string>>,
  rounds: number,
): ReportHeader {
  const processors = cpus();
  return {
    takenAt: new Date().toISOString(),
    machine: {
      cpu: processors[0]?.model ?? "unknown",
      cores: processors.length,
      kernel: /^[\d.]*/.exec(release())?.[0] ?? "",
      loadAverage: loadavg()[0]!,
    },
    versions,
    rounds,
  };
}

/** Writes bench/out/NAME-N.json with the next free N, and `save` if it is not null. Tells where. */
export function writeReport(name: string, report: ReportHeader, save: string | null): void {
  mkdirSync(outFolder, { recursive: true });
  const files = [join(outFolder, `${name}-${lastNumber(name) + 1}.json`)];
  if (save !== null) files.push(save);
  for (const file of files) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
    say(`written: ${file}`);
  }
}

function lastNumber(name: string): number {
  const taken = readdirSync(outFolder)
    .filter((file) => file.startsWith(`${name}-`))
    .map((file) => Number(/^(\d+)\.json$/.exec(file.slice(name.length + 1))?.[1]));
  return Math.max(0, ...taken.filter(Number.isInteger));
}

/** What is not a result: progress, and what is left out. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
