import { againstPeers, ratiosOfTurns } from "../harness/figures.ts";
import { type Spread, spread } from "../harness/statistics.ts";
import type { PeerResult, Turn } from "./results.ts";

const compared = [
  "requestsPerSecond",
  "cpu",
  "p50",
  "p99",
] as const satisfies readonly (keyof Turn)[];

/** Millrace over each other peer. */
export const ratiosOf = (
  results: Readonly<Record<string, PeerResult>>,
): Record<string, Readonly<Record<string, Spread>>> => againstPeers(results, ratios);

function ratios(ours: PeerResult, theirs: PeerResult): Readonly<Record<string, Spread>> {
  if (ours.kind === "load" && theirs.kind === "load") {
    return ratiosOfTurns(ours.turns, theirs.turns, compared);
  }
  if (ours.kind === "idle" && theirs.kind === "idle") {
    return { memory: spread([ours.held.resident / theirs.held.resident]) };
  }
  return {};
}
