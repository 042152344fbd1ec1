import { existsSync } from "node:fs";
import { haveNamespaces } from "../../test/support/network-namespace.ts";
import { stopAllProcesses } from "../../test/support/processes.ts";
import { findTool } from "../../test/support/tools.ts";
import { reportHeader, say, writeReport } from "../harness/report.ts";
import { firstLine } from "../peers/first-line.ts";
import { runIdle, runMemory } from "./memory/run-memory.ts";
import type { Options } from "./options.ts";
import type { Report } from "./results.ts";
import { flowTable, idleText, memoryTable } from "./table.ts";
import { runFlows } from "./tap/run-flows.ts";

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Runs the parts that the options name, prints a table for each and writes the JSON. */
export async function runBenchmark(options: Options, interrupted: AbortSignal): Promise<Report> {
  const { parts, rounds, millis } = options;
  const header = reportHeader(await versions(), rounds);
  try {
    const tap = parts.has("tap") ? await flowsWherePossible(options, interrupted) : null;
    if (tap !== null) print(flowTable(tap));
    const memory = parts.has("memory") ? await runMemory(options, interrupted) : null;
    if (memory !== null) print(memoryTable(memory));
    const idle = parts.has("idle") ? await runIdle(interrupted) : null;
    if (idle !== null) print(idleText(idle));
    const report: Report = { ...header, millis, tap, memory, idle };
    writeReport("netstack", report, options.save);
    return report;
  } finally {
    await stopAllProcesses();
  }
}

async function flowsWherePossible(options: Options, interrupted: AbortSignal) {
  const tools = ["ip", "ping"].every((tool) => findTool(tool) !== null);
  const possible = tools && existsSync("/dev/net/tun") && (await haveNamespaces());
  if (!present("TAP devices (root, /dev/net/tun, ip, ping)", possible, options)) return null;
  const slirp = present("slirp4netns", findTool("slirp4netns") !== null, options);
  const { rounds, millis } = options;
  return runFlows({ rounds, millis, slirp, interrupted });
}

function present(what: string, found: boolean, { requireAll }: Options): boolean {
  if (found) return true;
  if (requireAll) throw new Error(`missing: ${what}`);
  say(`left out for want of: ${what}`);
  return false;
}

async function versions(): Promise<Readonly<Record<string, string>>> {
  const slirp = findTool("slirp4netns");
  const node = process.version;
  return slirp === null ? { node } : { node, slirp4netns: await firstLine(slirp, ["--version"]) };
}
