import { figuresOf } from "../harness/figures.ts";
import { pinned } from "../harness/launcher.ts";
import type { Origin } from "../harness/origin.ts";
import { memoryOfGroup } from "../harness/process-usage.ts";
import { type Contestant, playRounds } from "../harness/rounds.ts";
import { startPeer } from "../harness/start-peer.ts";
import type { Peer } from "../peers/peer.ts";
import { takeTurn } from "./load-turn.ts";
import type { Options } from "./options.ts";
import { peerOptions } from "./peer-options.ts";
import { type LoadResult, type Turn, turnFigures } from "./results.ts";
import type { LoadScenario } from "./scenarios.ts";

interface LoadContestant extends Contestant {
  readonly turns: Turn[];
  errors: number;
  connections: number;
  requests: number;
}

export const runLoad = (
  scenario: LoadScenario,
  options: Options,
  peers: readonly Peer[],
  origin: Origin,
): Promise<Record<string, LoadResult>> =>
  playRounds<LoadContestant, LoadResult>({
    peers,
    rounds: options.rounds,
    async start(peer) {
      const started = await startPeer(peer, peerOptions(scenario, options, origin.port));
      return { ...started, turns: [], errors: 0, connections: 0, requests: 0 };
    },
    async takeTurn(contestant, round) {
      const turn = await takeContestantsTurn(contestant, round, scenario, options, origin);
      return `${Math.round(turn.requestsPerSecond)} requests/s, ${turn.cpu.toFixed(1)} µs`;
    },
    summarise,
  });

async function takeContestantsTurn(
  contestant: LoadContestant,
  round: number,
  scenario: LoadScenario,
  options: Options,
  origin: Origin,
): Promise<Turn> {
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
  return turn;
}

function summarise(contestant: LoadContestant): LoadResult {
  const { turns, errors, connections, requests, running } = contestant;
  return {
    kind: "load",
    figures: figuresOf(turns, turnFigures),
    turns,
    errors,
    memory: memoryOfGroup(running.pid),
    upstream: { connections, requests, reuse: 1 - connections / Math.max(1, requests) },
  };
}
