import type { RunningProcess } from "../../test/support/processes.ts";
import { say } from "../harness/report.ts";
import { spread } from "../harness/statistics.ts";
import type { Peer } from "../peers/peer.ts";
import { pinned } from "./launcher.ts";
import { takeTurn } from "./load-turn.ts";
import type { Options } from "./options.ts";
import type { Origin } from "./origin.ts";
import { memoryOfGroup } from "./process-usage.ts";
import { type LoadResult, type Turn, turnFigures } from "./results.ts";
import type { LoadScenario } from "./scenarios.ts";
import { startPeer } from "./start-peer.ts";

interface Contestant {
  readonly peer: Peer;
  readonly port: number;
  readonly running: RunningProcess;
  readonly turns: Turn[];
  errors: number;
  connections: number;
  requests: number;
}

/** All peers up together and in turns, round after round, so that a slow minute meets them all. */
export async function runLoad(
  scenario: LoadScenario,
  options: Options,
  peers: readonly Peer[],
  origin: Origin,
): Promise<Record<string, LoadResult>> {
  const contestants: Contestant[] = [];
  try {
    for (const peer of peers) {
      const started = await startPeer(peer, scenario, options, origin.port);
      contestants.push({ peer, ...started, turns: [], errors: 0, connections: 0, requests: 0 });
    }
    for (let round = 1; round <= options.rounds; round++) {
      for (const contestant of contestants) {
        await takeContestantsTurn(contestant, round, scenario, options, origin);
        const turn = contestant.turns.at(-1)!;
        say(
          `  round ${round}/${options.rounds}  ${contestant.peer.name}: ` +
            `${Math.round(turn.requestsPerSecond)} requests/s, ${turn.cpu.toFixed(1)} µs`,
        );
      }
    }
    return Object.fromEntries(contestants.map((each) => [each.peer.name, summarise(each)]));
  } finally {
    await Promise.all(contestants.map(({ running }) => running.stop()));
  }
}

async function takeContestantsTurn(
  contestant: Contestant,
  round: number,
  scenario: LoadScenario,
  options: Options,
  origin: Origin,
): Promise<void> {
  if (!contestant.running.running) throw new Error(died(contestant));
  const before = await origin.counts();
  const { turn, errors } = await takeTurn({
    launcher: pinned("1"),
    group: contestant.running.pid,
    port: contestant.port,
    load: scenario.load,
    warmUpSeconds: options.warmUpSeconds * (round === 1 ? 3 : 1),
    seconds: options.seconds,
    cores: scenario.workers,
  });
  const after = await origin.counts();
  contestant.turns.push(turn);
  contestant.errors += errors;
  contestant.connections += after.connections - before.connections;
  contestant.requests += after.requests - before.requests;
}

function summarise(contestant: Contestant): LoadResult {
  const { turns, errors, connections, requests, running } = contestant;
  const figures = {} as Record<keyof Turn, LoadResult["figures"]["cpu"]>;
  for (const name of turnFigures) figures[name] = spread(turns.map((turn) => turn[name]));
  return {
    kind: "load",
    figures,
    turns,
    errors,
    memory: memoryOfGroup(running.pid),
    upstream: { connections, requests, reuse: 1 - connections / Math.max(1, requests) },
  };
}

function died({ peer, running }: Contestant): string {
  return `${peer.name} ended during the run\n${running.stdout}${running.stderr}`;
}
