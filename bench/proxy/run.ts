import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stopAllProcesses } from "../../test/support/processes.ts";
import { findTool } from "../../test/support/tools.ts";
import { firstLine } from "../peers/first-line.ts";
import type { Peer } from "../peers/peer.ts";
import { pinned } from "./launcher.ts";
import type { Options } from "./options.ts";
import { Origin } from "./origin.ts";
import { ratiosOf } from "./ratios.ts";
import type { Report, ScenarioResult } from "./results.ts";
import { runIdle } from "./run-idle.ts";
import { runLoad } from "./run-load.ts";
import type { Scenario } from "./scenarios.ts";
import { scenarioTable } from "./table.ts";

const outFolder = fileURLToPath(new URL("../out/", import.meta.url));

/** Runs what the options name, prints a table for each scenario and writes the JSON. */
export async function runBenchmark(options: Options): Promise<Report> {
  endProcessesOnSignals();
  const peers = presentPeers(options);
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const origin = await Origin.start(pinned("1"));
  try {
    const header = await reportHeader(options, peers);
    const scenarios: ScenarioResult[] = [];
    const report = { ...header, scenarios };
    for (const scenario of options.scenarios) {
      say(`${scenario.name}: ${scenario.describes}`);
      const result = await runScenario(scenario, options, peers, origin, say);
      scenarios.push(result);
      process.stdout.write(`${scenarioTable(result)}\n`);
    }
    write(report, options.save, say);
    return report;
  } finally {
    await origin.stop();
    await stopAllProcesses();
  }
}

async function runScenario(
  scenario: Scenario,
  options: Options,
  peers: readonly Peer[],
  origin: Origin,
  say: (line: string) => void,
): Promise<ScenarioResult> {
  const results =
    scenario.kind === "load"
      ? await runLoad(scenario, options, peers, origin, say)
      : await runIdle(scenario, options, peers, origin.port, say);
  const { name, describes } = scenario;
  return { name, describes, peers: results, ratios: ratiosOf(results) };
}

/** The peers that this machine can run; says which it cannot. */
function presentPeers(options: Options): readonly Peer[] {
  const absent = ["nginx", "wrk", "taskset"]
    .filter((tool) => findTool(tool) === null)
    .map((tool) => `${tool} is not installed`);
  if (absent.some((text) => !text.startsWith("taskset"))) {
    throw new Error(`${absent.join("; ")}: the benchmark needs nginx as its origin, and wrk`);
  }
  const present = options.peers.filter((peer) => {
    const missing = peer.missing();
    if (missing !== null) absent.push(missing);
    return missing === null;
  });
  if (absent.length > 0 && options.requireAll) throw new Error(absent.join("; "));
  for (const text of absent) process.stderr.write(`left out: ${text}\n`);
  return present;
}

async function reportHeader(
  options: Options,
  peers: readonly Peer[],
): Promise<Omit<Report, "scenarios">> {
  const versions: Record<string, string> = {};
  for (const peer of peers) versions[peer.name] = await peer.version();
  versions.wrk = await firstLine(findTool("wrk")!, ["-v"]);
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
    seconds: options.seconds,
    warmUpSeconds: options.warmUpSeconds,
    rounds: options.rounds,
  };
}

function write(report: Report, save: string | null, say: (line: string) => void): void {
  mkdirSync(outFolder, { recursive: true });
  const taken = readdirSync(outFolder).map((name) => Number(/^proxy-(\d+)\.json$/.exec(name)?.[1]));
  const number = Math.max(0, ...taken.filter(Number.isInteger)) + 1;
  const files = [join(outFolder, `proxy-${number}.json`)];
  if (save !== null) files.push(save);
  for (const file of files) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
    say(`written: ${file}`);
  }
}

function endProcessesOnSignals(): void {
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(signal, () => void stopAllProcesses().then(() => process.exit(status)));
  }
}
