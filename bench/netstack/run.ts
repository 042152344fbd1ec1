import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { haveNamespaces } from "../../test/support/network-namespace.ts";
import { stopAllProcesses } from "../../test/support/processes.ts";
import { findTool } from "../../test/support/tools.ts";
import { firstLine } from "../peers/first-line.ts";
import { runIdle, runMemory } from "./memory/run-memory.ts";
import type { Options } from "./options.ts";
import type { Report } from "./results.ts";
import { flowTable, idleText, memoryTable } from "./table.ts";
import { runFlows } from "./tap/run-flows.ts";

const outFolder = fileURLToPath(new URL("../out/", import.meta.url));
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Runs the parts that the options name, prints a table for each and writes the JSON. */
export async function runBenchmark(options: Options): Promise<Report> {
  endProcessesOnSignals();
  const { parts, rounds, millis } = options;
  const header = await reportHeader(options);
  const slirp = findTool("slirp4netns") !== null;
  try {
    const tap =
      parts.includes("tap") && (await canTap(options))
        ? await runFlows({ rounds, millis, slirp: present("slirp4netns", slirp, options), say })
        : null;
    if (tap !== null) print(flowTable(tap));
    const memory = parts.includes("memory") ? await runMemory(options, say) : null;
    if (memory !== null) print(memoryTable(memory));
    const idle = parts.includes("idle") ? await runIdle() : null;
    if (idle !== null) print(idleText(idle));
    const report: Report = { ...header, tap, memory, idle };
    write(report, options.save);
    return report;
  } finally {
    await stopAllProcesses();
  }
}

async function canTap(options: Options): Promise<boolean> {
  const tools = ["ip", "ping"].every((tool) => findTool(tool) !== null);
  const possible = tools && existsSync("/dev/net/tun") && (await haveNamespaces());
  return present("TAP devices (root, /dev/net/tun, ip, ping)", possible, options);
}

function present(what: string, found: boolean, { requireAll }: Options): boolean {
  if (found) return true;
  if (requireAll) throw new Error(`missing: ${what}`);
  say(`left out for want of: ${what}`);
  return false;
}

async function reportHeader({
  rounds,
  millis,
}: Options): Promise<Omit<Report, "tap" | "memory" | "idle">> {
  const versions: Record<string, string> = { node: process.version };
  const slirp = findTool("slirp4netns");
  if (slirp !== null) versions.slirp4netns = await firstLine(slirp, ["--version"]);
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
    millis,
  };
}

function write(report: Report, save: string | null): void {
  mkdirSync(outFolder, { recursive: true });
  const taken = readdirSync(outFolder).map((name) =>
    Number(/^netstack-(\d+)\.json$/.exec(name)?.[1]),
  );
  const number = Math.max(0, ...taken.filter(Number.isInteger)) + 1;
  const files = [join(outFolder, `netstack-${number}.json`)];
  if (save !== null) files.push(save);
  for (const file of files) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
    say(`written: ${file}`);
  }
}

/** The namespaces go by themselves: `runFlows` fails once its programs are gone. */
function endProcessesOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void stopAllProcesses());
  }
}
