import { aligned, digits } from "../harness/columns.ts";
import type { Spread } from "../harness/statistics.ts";
import type { ScenarioResult } from "./results.ts";

const titles = ["proxy", "per s", "(min – max)", "CPU µs", "(min – max)", "user", "system"].concat([
  "busy",
  "client µs",
  "MB/s",
  "memory MB",
  "errors",
]);

/** A scenario's results as text: a row for each peer, then Millrace's ratios. */
export function scenarioTable(scenario: ScenarioResult): string {
  const rows: string[][] = [titles];
  for (const [name, { figures, memory, errors }] of Object.entries(scenario.peers)) {
    const { requestsPerSecond, cpu, busy, clientCpu } = figures;
    rows.push([
      name,
      requestsPerSecond.median.toFixed(0),
      `(${requestsPerSecond.min.toFixed(0)} – ${requestsPerSecond.max.toFixed(0)})`,
      digits(cpu.median),
      `(${digits(cpu.min)} – ${digits(cpu.max)})`,
      digits(figures.cpuUser.median),
      digits(figures.cpuSystem.median),
      `${(busy.median * 100).toFixed(0)} %`,
      digits(clientCpu.median),
      figures.megabytesPerSecond.median.toFixed(0),
      (memory / 1e6).toFixed(1),
      String(errors),
    ]);
  }
  const lines = [`\n${scenario.name}: ${scenario.describes}`, ...aligned(rows)];
  for (const [name, ratios] of Object.entries(scenario.ratios)) {
    const parts = Object.entries(ratios).map(([figure, ratio]) => `${figure} ${text(ratio)}`);
    lines.push(`  millrace / ${name}: ${parts.join(", ")}`);
  }
  return lines.join("\n");
}

const text = ({ median, min, max }: Spread): string =>
  `${median.toFixed(2)} (${min.toFixed(2)} – ${max.toFixed(2)})`;
