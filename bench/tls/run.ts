import { removeFolder, temporaryFolder } from "../../test/support/temporary-folder.ts";
import { runContest } from "../harness/contest.ts";
import { memoryOfGroup } from "../harness/process-usage.ts";
import { type Contestant, playRounds } from "../harness/rounds.ts";
import { startPeer } from "../harness/start-peer.ts";
import type { Peer, PeerTls } from "../peers/peer.ts";
import { makeCertificate } from "./certificate.ts";
import type { Options } from "./options.ts";
import { type PeerResult, type Report, ratiosOf, summarise, type Turn } from "./results.ts";
import type { Scenario } from "./scenarios.ts";
import { scenarioTable } from "./table.ts";
import { takeTurn } from "./turn.ts";

export async function runBenchmark(options: Options, interrupted: AbortSignal): Promise<Report> {
  const folder = temporaryFolder("bench-tls");
  try {
    const tls = makeCertificate(folder);
    return await runContest(
      {
        name: "tls",
        loads: { wrk: "-v" },
        async run(scenario, peers, origin) {
          const results = await runScenario(scenario, options, peers, origin.port, tls);
          const { name, describes } = scenario;
          return { name, describes, peers: results, ratios: ratiosOf(results) };
        },
        table: scenarioTable,
      },
      options,
      interrupted,
    );
  } finally {
    removeFolder(folder);
  }
}

interface TlsContestant extends Contestant {
  readonly turns: Turn[];
  errors: number;
}

const runScenario = (
  scenario: Scenario,
  options: Options,
  peers: readonly Peer[],
  originPort: number,
  tls: PeerTls,
): Promise<Record<string, PeerResult>> =>
  playRounds<TlsContestant, PeerResult>({
    peers,
    rounds: options.rounds,
    async start(peer) {
      const started = await startPeer(peer, {
        originPort,
        workers: 1,
        forwarded: false,
        largeBodies: scenario.largeBodies,
        tls,
        nodeFlags: options.nodeFlags,
      });
      return { ...started, turns: [], errors: 0 };
    },
    async takeTurn(contestant, round) {
      const { port, running, turns } = contestant;
      const { turn, errors } = await takeTurn(
        scenario,
        { group: running.pid, port },
        {
          warmUpSeconds: options.warmUpSeconds * (round === 1 ? 3 : 1),
          seconds: options.seconds,
        },
      );
      turns.push(turn);
      contestant.errors += errors;
      return `${Math.round(turn.requestsPerSecond)} /s, ${turn.cpu.toFixed(1)} µs`;
    },
    summarise: ({ turns, errors, running }) =>
      summarise(turns, errors, memoryOfGroup(running.pid).resident),
  });
