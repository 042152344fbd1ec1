import type { ContestReport } from "../harness/contest.ts";
import { againstPeers, figuresOf, ratiosOfTurns } from "../harness/figures.ts";
import type { Spread } from "../harness/statistics.ts";

/** One measurement of one peer. A request is a connection with its handshake where those are counted. */
export interface Turn {
  readonly requestsPerSecond: number;
  /** CPU microseconds per request, all processes and threads of the proxy. */
  readonly cpu: number;
  readonly cpuUser: number;
  readonly cpuSystem: number;
  /** What one core of the proxy would carry at this cost: 1e6 / cpu. */
  readonly perCore: number;
  /** The share of its core that the proxy used: near 1, the proxy was the bottleneck. */
  readonly busy: number;
  /** CPU microseconds per request of the clients, on the other core. */
  readonly clientCpu: number;
  readonly megabytesPerSecond: number;
}

export const turnFigures = [
  "requestsPerSecond",
  "cpu",
  "cpuUser",
  "cpuSystem",
  "perCore",
  "busy",
  "clientCpu",
  "megabytesPerSecond",
] as const satisfies readonly (keyof Turn)[];

export interface PeerResult {
  readonly figures: Readonly<Record<keyof Turn, Spread>>;
  readonly turns: readonly Turn[];
  /** Requests without a good answer. */
  readonly errors: number;
  /** Bytes, after the last round. */
  readonly memory: number;
}

export interface ScenarioResult {
  readonly name: string;
  readonly describes: string;
  readonly peers: Readonly<Record<string, PeerResult>>;
  /** Millrace's figure over the peer's, taken round by round. */
  readonly ratios: Readonly<Record<string, Readonly<Record<string, Spread>>>>;
}

export type Report = ContestReport<ScenarioResult>;

export const summarise = (turns: readonly Turn[], errors: number, memory: number): PeerResult => ({
  figures: figuresOf(turns, turnFigures),
  turns,
  errors,
  memory,
});

const compared = ["requestsPerSecond", "perCore", "cpu"] as const satisfies readonly (keyof Turn)[];

/** Millrace over each other peer. */
export const ratiosOf = (
  results: Readonly<Record<string, PeerResult>>,
): Record<string, Readonly<Record<string, Spread>>> =>
  againstPeers(results, (ours, theirs) => ratiosOfTurns(ours.turns, theirs.turns, compared));
