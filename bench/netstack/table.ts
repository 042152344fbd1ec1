import type { Spread } from "../proxy/statistics.ts";
import type { FlowOutcome, IdleMemory, MemoryResult } from "./results.ts";

/** Shares of a layer below this are left out of the table; the JSON has them. */
const LEAST_SHARE = 0.02;

export function flowTable({ flows, ratios }: FlowOutcome): string {
  const rows = [["TCP over TAP", "", "Gbit/s", "(min – max)", "CPU µs / 64 KiB", ""]];
  for (const { name, describes, direction, gigabitsPerSecond, cpuPer64KiB } of flows) {
    rows.push([
      name,
      direction === "to" ? "kernel →" : "→ kernel",
      digits(gigabitsPerSecond.median),
      range(gigabitsPerSecond),
      digits(cpuPer64KiB.median),
      describes,
    ]);
  }
  const lines = ratios.map(({ direction, ours, theirs, target, ratio }) => {
    const way = direction === "to" ? "kernel →" : "→ kernel";
    const verdict =
      target === null ? "" : `, ${ratio.median >= target ? "reaches" : "misses"} ${target}`;
    return `  ${way}  ${ours} / ${theirs}: ${digits(ratio.median)} ${range(ratio)}${verdict}`;
  });
  return ["", ...aligned(rows), ...lines].join("\n");
}

export function memoryTable(results: readonly MemoryResult[]): string {
  const rows = [["two stacks in memory", "per CPU second", "(min – max)", "µs / packet", ""]];
  for (const { name, describes, unit, perSecond, cpuPerPacketMicros } of results) {
    rows.push([
      name,
      `${digits(perSecond.median)} ${unit}`,
      range(perSecond),
      digits(cpuPerPacketMicros.median),
      describes,
    ]);
  }
  const lines = ["", ...aligned(rows), "where the time goes, µs of each packet (both ends):"];
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

/** Columns padded to one width, the first to the left, those of numbers to the right, the last as it is. */
function aligned(rows: readonly string[][]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, i) => {
        if (i === row.length - 1) return cell;
        return i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!);
      })
      .join("  ")
      .trimEnd(),
  );
}

const range = ({ min, max }: Spread): string => `(${digits(min)} – ${digits(max)})`;

/** Three significant digits, without an exponent. */
function digits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value.toFixed(value >= 1 ? 2 : 3);
}
