import type { ReportHeader } from "../harness/report.ts";
import { type Spread, spread } from "../harness/statistics.ts";

/** One measurement of one peer. */
export interface Turn {
  readonly requestsPerSecond: number;
  /** CPU microseconds per request, all processes and threads of the proxy. */
  readonly cpu: number;
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

export interface PeerResult {
  readonly figures: Readonly<Record<keyof Turn, Spread>>;
  readonly turns: readonly Turn[];
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

export interface Report extends ReportHeader {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly scenarios: readonly ScenarioResult[];
}

export function summarise(turns: readonly Turn[], errors: number, memory: number): PeerResult {
  const figures = {} as Record<keyof Turn, Spread>;
  for (const name of turnFigures) figures[name] = spread(turns.map((turn) => turn[name]));
  return { figures, turns, errors, memory };
}

/** Millrace over each other peer: round by round, so that both figures come from the same seconds. */
export function ratiosOf(
  results: Readonly<Record<string, PeerResult>>,
): Record<string, Record<string, Spread>> {
  const ours = results.millrace;
  const ratios: Record<string, Record<string, Spread>> = {};
  if (ours === undefined) return ratios;
  for (const [name, theirs] of Object.entries(results)) {
    if (name === "millrace") continue;
    const ratio = (figure: "requestsPerSecond" | "cpu"): Spread =>
      spread(ours.turns.map((turn, round) => turn[figure] / theirs.turns[round]![figure]));
    ratios[name] = { requestsPerSecond: ratio("requestsPerSecond"), cpu: ratio("cpu") };
  }
  return ratios;
}
