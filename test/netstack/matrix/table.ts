import type { Outcome } from "./bulk-transfer.ts";

const CONTROLS = ["newreno", "cubic", "bbr"] as const;

/** A line for each path, a column for each congestion control. */
export function table(outcomes: readonly Outcome[]): string {
  const lines = [
    "Goodput in Mbit/s, and the share of segments sent again, of one connection over 100 Mbit/s, by round",
    "trip and loss of data segments. The queue holds a bandwidth-delay product, at least 32 frames. What",
    "frames of 1,514 bytes leave for payload is 95.64 Mbit/s. Written by throughput-matrix.test.ts.",
    "",
    `${"rtt".padStart(6)}${"loss".padStart(8)}${CONTROLS.map((name) => name.padStart(19)).join("")}`,
  ];
  const rows = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const key = `${`${outcome.rtt} ms`.padStart(6)}${`${outcome.loss * 100} %`.padStart(8)}`;
    const row = rows.get(key);
    if (row === undefined) rows.set(key, [outcome]);
    else row.push(outcome);
  }
  for (const [key, row] of rows) {
    const figures = CONTROLS.map((name) => {
      const cell = row.find(({ congestion }) => congestion === name)!;
      const repeated = `${(cell.repeated * 100).toFixed(2)} %`;
      return `${(cell.rate / 1e6).toFixed(2).padStart(10)}${repeated.padStart(9)}`;
    });
    lines.push(key + figures.join(""));
  }
  return `${lines.join("\n")}\n`;
}
