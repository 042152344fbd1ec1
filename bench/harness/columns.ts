import type { ScenarioFigures } from "./measured-rounds.ts";
import type { Spread } from "./statistics.ts";

/** Columns padded to one width, the first to the left and the rest to the right. */
export function aligned(rows: readonly string[][]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  "),
  );
}

/** Three significant digits, without an exponent. */
export function digits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value.toFixed(value >= 1 ? 2 : 3);
}

/** A median, and the extremes in the next column. */
export const withExtremes = ({ median, min, max }: Spread, text = digits): [string, string] => [
  text(median),
  `(${text(min)} – ${text(max)})`,
];

/** A scenario's results as text: a row for each peer, then Millrace's ratios. */
export function contestTable<P>(
  scenario: Pick<ScenarioFigures<never>, "name" | "describes" | "ratios"> & {
    readonly peers: Readonly<Record<string, P>>;
  },
  titles: readonly string[],
  cells: (peer: P) => readonly string[],
): string {
  const rows = Object.entries(scenario.peers).map(([name, peer]) => [name, ...cells(peer)]);
  const table = aligned([["proxy", ...titles], ...rows]);
  const lines = [`\n${scenario.name}: ${scenario.describes}`, ...table];
  for (const [name, ratios] of Object.entries(scenario.ratios)) {
    const parts = Object.entries(ratios).map(([figure, ratio]) => `${figure} ${ratioText(ratio)}`);
    lines.push(`  millrace / ${name}: ${parts.join(", ")}`);
  }
  return lines.join("\n");
}

function ratioText({ median, min, max }: Spread): string {
  if (min === max) return median.toFixed(2);
  return `${median.toFixed(2)} (${min.toFixed(2)} – ${max.toFixed(2)})`;
}

export const whole = (value: number): string => value.toFixed(0);
