import type { Peer, PeerOptions } from "../peers/peer.ts";
import type { ContestOptions, ContestScenario } from "./contest-options.ts";
import { againstPeers, figuresOf, ratiosOfTurns } from "./figures.ts";
import { memoryOfGroup } from "./process-usage.ts";
import { type Contestant, playRounds } from "./rounds.ts";
import { startPeer } from "./start-peer.ts";
import type { Spread } from "./statistics.ts";

/** Figures that every measurement has. */
export interface BasicTurn {
  readonly requestsPerSecond: number;
  /** CPU microseconds per request, all processes and threads of the proxy. */
  readonly cpu: number;
}

export interface PeerFigures<T> {
  readonly figures: Readonly<Record<keyof T & string, Spread>>;
  readonly turns: readonly T[];
  readonly errors: number;
  /** Bytes, after the last round. */
  readonly memory: number;
}

export interface ScenarioFigures<T> {
  readonly name: string;
  readonly describes: string;
  readonly peers: Readonly<Record<string, PeerFigures<T>>>;
  /** Millrace's figure over the peer's, taken round by round. */
  readonly ratios: Readonly<Record<string, Readonly<Record<string, Spread>>>>;
}

/** How each peer is started, and what one turn of it measures. */
export interface Measuring<T extends BasicTurn> {
  readonly peers: readonly Peer[];
  readonly figures: readonly (keyof T & string)[];
  readonly compared: readonly (keyof T & string)[];
  readonly peerOptions: Pick<PeerOptions, "originPort" | "largeBodies" | "http2" | "grpc" | "tls">;
  /** Looks at a peer once, before the first turn. */
  check?(contestant: Contestant): Promise<void>;
  /** Warms up, then measures. */
  takeTurn(
    contestant: Contestant,
    warmUpSeconds: number,
  ): Promise<{ readonly turn: T; readonly errors: number }>;
}

interface Measured<T> extends Contestant {
  readonly turns: T[];
  errors: number;
}

/** A scenario of proxies with one worker each. */
export async function measureRounds<
  T extends BasicTurn & Readonly<Record<keyof T, number>>,
  S extends ContestScenario,
>(
  { name, describes }: S,
  options: ContestOptions<S>,
  measuring: Measuring<T>,
): Promise<ScenarioFigures<T>> {
  const peers = await playRounds<Measured<T>, PeerFigures<T>>({
    peers: measuring.peers,
    rounds: options.rounds,
    async start(peer) {
      const { nodeFlags } = options;
      const fixed = { workers: 1, forwarded: false, nodeFlags };
      const started = await startPeer(peer, { ...measuring.peerOptions, ...fixed });
      await measuring.check?.(started);
      return { ...started, turns: [], errors: 0 };
    },
    async takeTurn(contestant, round) {
      const warmUpSeconds = options.warmUpSeconds * (round === 1 ? 3 : 1);
      const { turn, errors } = await measuring.takeTurn(contestant, warmUpSeconds);
      contestant.turns.push(turn);
      contestant.errors += errors;
      return `${Math.round(turn.requestsPerSecond)} /s, ${turn.cpu.toFixed(1)} µs`;
    },
    summarise: ({ turns, errors, running }) => ({
      figures: figuresOf<keyof T & string>(turns, measuring.figures),
      turns,
      errors,
      memory: memoryOfGroup(running.pid).resident,
    }),
  });
  const ratios = againstPeers(peers, (ours, theirs) =>
    ratiosOfTurns<keyof T & string>(ours.turns, theirs.turns, measuring.compared),
  );
  return { name, describes, peers, ratios };
}
