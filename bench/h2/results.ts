import type { ContestReport } from "../harness/contest.ts";
import type { BasicTurn, ScenarioFigures } from "../harness/measured-rounds.ts";

/** One measurement of one peer. */
export interface Turn extends BasicTurn {
  /** The share of its core that the proxy used: near 1, the proxy was the bottleneck. */
  readonly busy: number;
  /** Milliseconds from a request to its response's end, on average. */
  readonly meanTime: number;
  readonly megabytesPerSecond: number;
}

export const turnFigures = [
  "requestsPerSecond",
  "cpu",
  "busy",
  "meanTime",
  "megabytesPerSecond",
] as const satisfies readonly (keyof Turn)[];

export const compared = ["requestsPerSecond", "cpu"] as const satisfies readonly (keyof Turn)[];

export type ScenarioResult = ScenarioFigures<Turn>;

export type Report = ContestReport<ScenarioResult>;
