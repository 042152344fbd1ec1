import type { ContestReport } from "../harness/contest.ts";
import type { BasicTurn, ScenarioFigures } from "../harness/measured-rounds.ts";

/** One measurement of one peer. A request is a connection with its handshake where those are counted. */
export interface Turn extends BasicTurn {
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

export const compared = [
  "requestsPerSecond",
  "perCore",
  "cpu",
] as const satisfies readonly (keyof Turn)[];

export type ScenarioResult = ScenarioFigures<Turn>;

export type Report = ContestReport<ScenarioResult>;
