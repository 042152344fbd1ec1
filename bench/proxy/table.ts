import { aligned, digits } from "../harness/columns.ts";
import type { Spread } from "../harness/statistics.ts";
import type { IdleResult, LoadResult, ScenarioResult } from "./results.ts";

/** A scenario's results as text: a row for each peer, then Millrace's ratios. */
export function scenarioTable(scenario: ScenarioResult): string {
  const rows: string[][] = [];
  for (const [name, result] of Object.entries(scenario.peers)) {
    if (rows.length === 0) rows.push(result.kind === "load" ? loadTitles : idleTitles);
    rows.push(result.kind === "load" ? loadRow(name, result) : idleRow(name, result));
  }
  const lines = [`\n${scenario.name}: ${scenario.describes}`, ...aligned(rows)];
  for (const [name, ratios] of Object.entries(scenario.ratios)) {
    const parts = Object.entries(ratios).map(([figure, ratio]) => `${figure} ${ratioText(ratio)}`);
    lines.push(`  millrace / ${name}: ${parts.join(", ")}`);
  }
  return lines.join("\n");
}

const loadTitles = [
  "proxy",
  "requests/s",
  "(min – max)",
  "CPU µs",
  "(min – max)",
  "user",
  "system",
  "busy",
  "p50 ms",
  "p99 ms",
  "MB/s",
  "memory MB",
  "reuse",
  "errors",
];

function loadRow(name: string, { figures, memory, upstream, errors }: LoadResult): string[] {
  const { requestsPerSecond, cpu } = figures;
  return [
    name,
    requestsPerSecond.median.toFixed(0),
    `(${requestsPerSecond.min.toFixed(0)} – ${requestsPerSecond.max.toFixed(0)})`,
    digits(cpu.median),
    `(${digits(cpu.min)} – ${digits(cpu.max)})`,
    digits(figures.cpuUser.median),
    digits(figures.cpuSystem.median),
    `${(figures.busy.median * 100).toFixed(0)} %`,
    figures.p50.median.toFixed(2),
    figures.p99.median.toFixed(2),
    figures.megabytesPerSecond.median.toFixed(0),
    megabytes(memory.resident),
    `${(upstream.reuse * 100).toFixed(3)} %`,
    String(errors),
  ];
}

const idleTitles = [
  "proxy",
  "opened",
  "failed",
  "lost",
  "MB before",
  "MB held",
  "KB each",
  "CPU ms/s",
];

function idleRow(name: string, result: IdleResult): string[] {
  const { opened, failed, lost, before, held, cpuMillisPerSecond } = result;
  return [
    name,
    String(opened),
    String(failed),
    String(lost),
    megabytes(before.resident),
    megabytes(held.resident),
    ((held.resident - before.resident) / 1e3 / Math.max(1, opened)).toFixed(2),
    cpuMillisPerSecond.toFixed(1),
  ];
}

function ratioText({ median, min, max }: Spread): string {
  if (min === max) return median.toFixed(2);
  return `${median.toFixed(2)} (${min.toFixed(2)} – ${max.toFixed(2)})`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
