import { runContest } from "../harness/contest.ts";
import { pinned } from "../harness/launcher.ts";
import { cpuOfGroup, memoryOfGroup } from "../harness/process-usage.ts";
import { type Contestant, playRounds } from "../harness/rounds.ts";
import { startPeer } from "../harness/start-peer.ts";
import type { Peer } from "../peers/peer.ts";
import { checkCall, messageFile } from "./grpc-call.ts";
import { runH2load } from "./h2load.ts";
import type { Options, Scenario } from "./options.ts";
import { type PeerResult, type Report, ratiosOf, summarise, type Turn } from "./results.ts";
import { scenarioTable } from "./table.ts";

export const runBenchmark = (options: Options, interrupted: AbortSignal): Promise<Report> =>
  runContest(
    {
      name: "h2",
      loads: { h2load: "--version" },
      async run(scenario, peers, origin) {
        const grpc = scenario.load.grpc === true;
        const able = peers.filter(({ speaks }) => speaks !== (grpc ? "http" : "grpc"));
        const port = grpc ? origin.grpcPort : origin.port;
        const results = await runScenario(scenario, options, able, port);
        const { name, describes } = scenario;
        return { name, describes, peers: results, ratios: ratiosOf(results) };
      },
      table: scenarioTable,
    },
    options,
    interrupted,
  );

interface LoadContestant extends Contestant {
  readonly turns: Turn[];
  errors: number;
}

const runScenario = (
  scenario: Scenario,
  options: Options,
  peers: readonly Peer[],
  originPort: number,
): Promise<Record<string, PeerResult>> =>
  playRounds<LoadContestant, PeerResult>({
    peers,
    rounds: options.rounds,
    async start(peer) {
      const started = await startPeer(peer, {
        originPort,
        workers: 1,
        forwarded: false,
        largeBodies: true,
        http2: true,
        grpc: scenario.load.grpc === true,
        nodeFlags: options.nodeFlags,
      });
      if (scenario.load.grpc === true) await checkCall(started.port, scenario.load.path);
      return { ...started, turns: [], errors: 0 };
    },
    async takeTurn(contestant, round) {
      const turn = await takeTurn(contestant, scenario, options, round);
      return `${Math.round(turn.requestsPerSecond)} requests/s, ${turn.cpu.toFixed(1)} µs`;
    },
    summarise: ({ turns, errors, running }) =>
      summarise(turns, errors, memoryOfGroup(running.pid).resident),
  });

/** Warms the proxy up, then measures it. */
async function takeTurn(
  contestant: LoadContestant,
  { load }: Scenario,
  options: Options,
  round: number,
): Promise<Turn> {
  const { port, running, turns } = contestant;
  const launcher = pinned("1");
  const message = load.grpc === true ? messageFile() : null;
  await runH2load(launcher, port, load, options.warmUpSeconds * (round === 1 ? 3 : 1), message);
  const before = cpuOfGroup(running.pid);
  const result = await runH2load(launcher, port, load, options.seconds, message);
  const after = cpuOfGroup(running.pid);
  const cpu = after.user + after.system - before.user - before.system;
  const turn = {
    requestsPerSecond: result.requests / result.seconds,
    cpu: cpu / Math.max(1, result.requests),
    busy: cpu / 1e6 / result.seconds,
    meanTime: result.meanTime / 1e3,
    megabytesPerSecond: result.bytes / 1e6 / result.seconds,
  };
  contestant.errors += result.errors;
  turns.push(turn);
  return turn;
}
