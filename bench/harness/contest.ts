import { stopAllProcesses } from "../../test/support/processes.ts";
import { findTool } from "../../test/support/tools.ts";
import { firstLine } from "../peers/first-line.ts";
import type { Peer } from "../peers/peer.ts";
import type { ContestOptions, ContestScenario } from "./contest-options.ts";
import { pinned } from "./launcher.ts";
import { Origin } from "./origin.ts";
import { type ReportHeader, reportHeader, say, writeReport } from "./report.ts";

/** Proxies compared in some scenarios, in front of one origin. */
export interface Contest<S extends ContestScenario, R> {
  /** Of the files in bench/out. */
  readonly name: string;
  /** The programs that make load, with the flag that has each tell its version. */
  readonly loads: Readonly<Record<string, string>>;
  run(scenario: S, peers: readonly Peer[], origin: Origin): Promise<R>;
  /** What is printed of a scenario. */
  table(result: R): string;
}

export interface ContestReport<R> extends ReportHeader {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly scenarios: readonly R[];
}

/** Runs what the options name, prints a table for each scenario and writes the JSON. */
export async function runContest<S extends ContestScenario, R>(
  contest: Contest<S, R>,
  options: ContestOptions<S>,
  interrupted: AbortSignal,
): Promise<ContestReport<R>> {
  interrupted.addEventListener("abort", () => void stopAllProcesses().then(() => process.exit()));
  const peers = presentPeers(contest, options);
  const origin = await Origin.start(pinned("1"));
  try {
    const header = reportHeader(await versionsOf(contest, peers), options.rounds);
    const { seconds, warmUpSeconds } = options;
    const scenarios: R[] = [];
    const report = { ...header, seconds, warmUpSeconds, scenarios };
    for (const scenario of options.scenarios) {
      say(`${scenario.name}: ${scenario.describes}`);
      const result = await contest.run(scenario, peers, origin);
      scenarios.push(result);
      process.stdout.write(`${contest.table(result)}\n`);
    }
    writeReport(contest.name, report, options.save);
    return report;
  } finally {
    await origin.stop();
    await stopAllProcesses();
  }
}

/** The peers that this machine can run; says which it cannot. */
function presentPeers<S extends ContestScenario, R>(
  contest: Contest<S, R>,
  options: ContestOptions<S>,
): readonly Peer[] {
  for (const tool of ["nginx", ...Object.keys(contest.loads)]) {
    if (findTool(tool) === null) {
      throw new Error(`${tool} is not installed: nginx is the origin, the others make the load`);
    }
  }
  const absent = findTool("taskset") === null ? ["taskset is not installed"] : [];
  const present = options.peers.filter((peer) => {
    const missing = peer.missing();
    if (missing !== null) absent.push(missing);
    return missing === null;
  });
  if (absent.length > 0 && options.requireAll) throw new Error(absent.join("; "));
  for (const text of absent) say(`left out: ${text}`);
  return present;
}

async function versionsOf<S extends ContestScenario, R>(
  { loads }: Contest<S, R>,
  peers: readonly Peer[],
): Promise<Readonly<Record<string, string>>> {
  const versions: Record<string, string> = {};
  for (const peer of peers) versions[peer.name] = await peer.version();
  for (const [tool, flag] of Object.entries(loads)) {
    versions[tool] = await firstLine(findTool(tool)!, [flag]);
  }
  return versions;
}
