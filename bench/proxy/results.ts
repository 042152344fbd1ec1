import type { ContestReport } from "../harness/contest.ts";
import type { Memory } from "../harness/process-usage.ts";
import type { Spread } from "../harness/statistics.ts";

/** One measurement of one peer. */
export interface Turn {
  readonly requestsPerSecond: number;
  /** CPU microseconds per request, all processes and threads of the proxy. */
  readonly cpu: number;
  readonly cpuUser: number;
  readonly cpuSystem: number;
  /** The share of its cores that the proxy used: near 1, the proxy was the bottleneck. */
  readonly busy: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Of what wrk received, and of the request bodies that it sent. */
  readonly megabytesPerSecond: number;
}

export const turnFigures = [
  "requestsPerSecond",
  "cpu",
  "cpuUser",
  "cpuSystem",
  "busy",
  "p50",
  "p99",
  "megabytesPerSecond",
] as const satisfies readonly (keyof Turn)[];

export interface LoadResult {
  readonly kind: "load";
  readonly figures: Readonly<Record<keyof Turn, Spread>>;
  readonly turns: readonly Turn[];
  readonly errors: number;
  /** After the last round. */
  readonly memory: Memory;
  readonly upstream: UpstreamUse;
}

/** Over the proxy's whole life, warm-ups included, as the origin counted. */
export interface UpstreamUse {
  readonly connections: number;
  readonly requests: number;
  /** The share of requests that went over a connection that had carried one before. */
  readonly reuse: number;
}

export interface IdleResult {
  readonly kind: "idle";
  readonly opened: number;
  readonly failed: number;
  /** Of the opened, closed by the proxy while they were held. */
  readonly lost: number;
  readonly before: Memory;
  readonly held: Memory;
  /** CPU milliseconds per second while the connections were only held. */
  readonly cpuMillisPerSecond: number;
}

export type PeerResult = LoadResult | IdleResult;

export interface ScenarioResult {
  readonly name: string;
  readonly describes: string;
  readonly peers: Readonly<Record<string, PeerResult>>;
  /** Millrace's figure over the peer's, taken round by round. */
  readonly ratios: Readonly<Record<string, Readonly<Record<string, Spread>>>>;
}

export type Report = ContestReport<ScenarioResult>;
