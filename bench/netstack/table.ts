import { aligned, digits } from "../harness/columns.ts";
import type { Spread } from "../harness/statistics.ts";
import type { FlowOutcome, IdleMemory, MemoryResult } from "./results.ts";

/** Shares of a layer below this are left out of the table; the JSON has them. */
const LEAST_SHARE = 0.02;

export function flowTable({ flows, ratios }: FlowOutcome): string {
  const rows = [["TCP over TAP", "", "Gbit/s", "(min – max)", "CPU µs / 64 KiB"]];
  for (const { name, direction, gigabitsPerSecond, cpuPer64KiB } of flows) {
    rows.push([
      name,
      direction === "to" ? "kernel →" : "→ kernel",
      digits(gigabitsPerSecond.median),
      range(gigabitsPerSecond),
      digits(cpuPer64KiB.median),
    ]);
  }
  const lines = ratios.map(({ direction, ours, theirs, target, ratio }) => {
    const way = direction === "to" ? "kernel →" : "→ kernel";
    const verdict =
      target === null ? "" : `, ${ratio.median >= target ? "reaches" : "misses"} ${target}`;
    return `  ${way}  ${ours} / ${theirs}: ${digits(ratio.median)} ${range(ratio)}${verdict}`;
  });
  return ["", ...described(rows, flows), ...lines].join("\n");
}

export function memoryTable(results: readonly MemoryResult[]): string {
  const rows = [["two stacks in memory", "per CPU second", "(min – max)", "µs / packet"]];
  for (const { name, unit, perSecond, cpuPerPacketMicros } of results) {
    rows.push([
      name,
      `${digits(perSecond.median)} ${unit}`,
      range(perSecond),
      digits(cpuPerPacketMicros.median),
    ]);
  }
  const lines = [
    "",
    ...described(rows, results),
    "where the time goes, µs of each packet (both ends):",
  ];
  for (const { name, layers, cpuPerPacketMicros } of results) {
    const parts = Object.entries(layers)
      .filter(([, share]) => share >= LEAST_SHARE)
      .map(([layer, share]) => `${layer} ${digits(share * cpuPerPacketMicros.median)}`);
    lines.push(`  ${name}: ${parts.join(", ")}`);
  }
  return lines.join("\n");
}

export function idleText({ connections, client, server, target }: IdleMemory): string {
  const verdict = Math.max(client, server) < target ? "under" : "over";
  return (
    `\n${connections} connections at rest: ${client} bytes of heap at the client's end, ` +
    `${server} at the server's, ${verdict} ${target}`
  );
}

const range = ({ min, max }: Spread): string => `(${digits(min)} – ${digits(max)})`;

/** A table with a word about each row but the first behind it. */
function described(rows: readonly string[][], results: readonly { describes: string }[]): string[] {
  return aligned(rows).map((line, i) => (i === 0 ? line : `${line}  ${results[i - 1]!.describes}`));
}
