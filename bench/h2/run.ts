import { freePort } from "../../test/support/ports.ts";
import { type RunningProcess, stopAllProcesses } from "../../test/support/processes.ts";
import { removeFolder, temporaryFolder } from "../../test/support/temporary-folder.ts";
import { findTool } from "../../test/support/tools.ts";
import { reportHeader, say, writeReport } from "../harness/report.ts";
import { firstLine } from "../peers/first-line.ts";
import type { Peer } from "../peers/peer.ts";
import { pinned } from "../proxy/launcher.ts";
import { Origin } from "../proxy/origin.ts";
import { cpuOfGroup, memoryOfGroup } from "../proxy/process-usage.ts";
import { runH2load } from "./h2load.ts";
import type { Options, Scenario } from "./options.ts";
import {
  type PeerResult,
  type Report,
  ratiosOf,
  type ScenarioResult,
  summarise,
  type Turn,
} from "./results.ts";
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
      const results = await runScenario(scenario, options, peers, origin.port);
      const { name, describes } = scenario;
      scenarios.push({ name, describes, peers: results, ratios: ratiosOf(results) });
      process.stdout.write(`${scenarioTable(scenarios.at(-1)!)}\n`);
    }
    writeReport("h2", report, options.save);
    return report;
  } finally {
    await origin.stop();
    await stopAllProcesses();
  }
}

/** The peers that this machine can run; says which it cannot. */
function presentPeers(options: Options): readonly Peer[] {
  for (const tool of ["nginx", "h2load"]) {
    if (findTool(tool) === null) {
      throw new Error(`${tool} is missing: the benchmark needs nginx as its origin, and h2load`);
    }
  }
  const absent: string[] = [];
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
  versions.h2load = await firstLine(findTool("h2load")!, ["--version"]);
  return versions;
}

interface Contestant {
  readonly peer: Peer;
  readonly port: number;
  readonly running: RunningProcess;
  readonly turns: Turn[];
  errors: number;
}

/** All peers up together and in turns, round after round, so that a slow minute meets them all. */
async function runScenario(
  scenario: Scenario,
  options: Options,
  peers: readonly Peer[],
  originPort: number,
): Promise<Record<string, PeerResult>> {
  const contestants: Contestant[] = [];
  try {
    for (const peer of peers) contestants.push(await startPeer(peer, options, originPort));
    for (let round = 1; round <= options.rounds; round++) {
      for (const contestant of contestants) {
        await takeTurn(contestant, scenario, options, round);
        const turn = contestant.turns.at(-1)!;
        say(
          `  round ${round}/${options.rounds}  ${contestant.peer.name}: ` +
            `${Math.round(turn.requestsPerSecond)} requests/s, ${turn.cpu.toFixed(1)} µs`,
        );
      }
    }
    return Object.fromEntries(
      contestants.map(({ peer, turns, errors, running }) => [
        peer.name,
        summarise(turns, errors, memoryOfGroup(running.pid).resident),
      ]),
    );
  } finally {
    await Promise.all(contestants.map(({ running }) => running.stop()));
  }
}

/** On core 0; load and origin have core 1. */
async function startPeer(peer: Peer, options: Options, originPort: number): Promise<Contestant> {
  const port = await freePort();
  const folder = temporaryFolder(`bench-${peer.name}`);
  try {
    const running = await peer.start({
      port,
      originPort,
      workers: 1,
      forwarded: false,
      largeBodies: true,
      http2: true,
      folder,
      launcher: pinned("0"),
      nodeFlags: options.nodeFlags,
    });
    void running.exited.then(() => removeFolder(folder));
    return { peer, port, running, turns: [], errors: 0 };
  } catch (error) {
    removeFolder(folder);
    throw error;
  }
}

/** Warms the proxy up, then measures it. */
async function takeTurn(
  contestant: Contestant,
  { load }: Scenario,
  options: Options,
  round: number,
): Promise<void> {
  const { peer, port, running, turns } = contestant;
  if (!running.running) {
    throw new Error(`${peer.name} ended during the run\n${running.stdout}${running.stderr}`);
  }
  const launcher = pinned("1");
  await runH2load(launcher, port, load, options.warmUpSeconds * (round === 1 ? 3 : 1));
  const before = cpuOfGroup(running.pid);
  const result = await runH2load(launcher, port, load, options.seconds);
  const after = cpuOfGroup(running.pid);
  const cpu = after.user + after.system - before.user - before.system;
  contestant.errors += result.errors;
  turns.push({
    requestsPerSecond: result.requests / result.seconds,
    cpu: cpu / Math.max(1, result.requests),
    busy: cpu / 1e6 / result.seconds,
    meanTime: result.meanTime / 1e3,
    megabytesPerSecond: result.bytes / 1e6 / result.seconds,
  });
}
