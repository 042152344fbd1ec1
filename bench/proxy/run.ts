import { stopAllProcesses } from "../../test/support/processes.ts";
import { findTool } from "../../test/support/tools.ts";
import { reportHeader, say, writeReport } from "../harness/report.ts";
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

/** Runs what the options name, prints a table for each scenario and writes the JSON. */
export async function runBenchmark(options: Options, interrupted: AbortSignal): Promise<Report> {
  interrupted.addEventListener("abort", () => void stopAllProcesses().then(() => process.exit()));
  const peers = presentPeers(options);
  const origin = await Origin.start(pinned("1"));
  try {
    const header = reportHeader(await versionsOf(peers), options.rounds);
    const { seconds, warmUpSeconds } = options;
    const scenarios: ScenarioResult[] = [];
    const report = { ...header, seconds, warmUpSeconds, scenarios };
    for (const scenario of options.scenarios) {
      say(`${scenario.name}: ${scenario.describes}`);
      const result = await runScenario(scenario, options, peers, origin);
      scenarios.push(result);
      process.stdout.write(`${scenarioTable(result)}\n`);
    }
    writeReport("proxy", report, options.save);
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
): Promise<ScenarioResult> {
  const results =
    scenario.kind === "load"
      ? await runLoad(scenario, options, peers, origin)
      : await runIdle(scenario, options, peers, origin.port);
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
  for (const text of absent) say(`left out: ${text}`);
  return present;
}

async function versionsOf(peers: readonly Peer[]): Promise<Readonly<Record<string, string>>> {
  const versions: Record<string, string> = {};
  for (const peer of peers) versions[peer.name] = await peer.version();
  versions.wrk = await firstLine(findTool("wrk")!, ["-v"]);
  return versions;
}
