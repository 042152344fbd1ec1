import { type Spread, spread } from "../harness/statistics.ts";
import type { IdleResult, LoadResult, PeerResult, Turn } from "./results.ts";

/** Whose figure stands above the line of each ratio. */
const subject = "millrace";

const compared = [
  "requestsPerSecond",
  "cpu",
  "p50",
  "p99",
] as const satisfies readonly (keyof Turn)[];

/**
 * Millrace over each other peer. Round by round, so that both figures of a ratio come from the
 * same seconds; then the median and the extremes. Empty without Millrace.
 */
export function ratiosOf(
  results: Readonly<Record<string, PeerResult>>,
): Record<string, Record<string, Spread>> {
  const ours = results[subject];
  const ratios: Record<string, Record<string, Spread>> = {};
  if (ours === undefined) return ratios;
  for (const [name, theirs] of Object.entries(results)) {
    if (name === subject) continue;
    if (ours.kind === "load" && theirs.kind === "load") ratios[name] = loadRatios(ours, theirs);
    if (ours.kind === "idle" && theirs.kind === "idle") ratios[name] = idleRatios(ours, theirs);
  }
  return ratios;
}

function loadRatios(ours: LoadResult, theirs: LoadResult): Record<string, Spread> {
  const ratios: Record<string, Spread> = {};
  for (const figure of compared) {
    ratios[figure] = spread(
      ours.turns.map((turn, round) => turn[figure] / theirs.turns[round]![figure]),
    );
  }
  return ratios;
}

function idleRatios(ours: IdleResult, theirs: IdleResult): Record<string, Spread> {
  return { memory: spread([ours.held.resident / theirs.held.resident]) };
}
