import { type Duration, micros } from "../core/time.ts";

const durationUnits = new Map([
  ["us", 1],
  ["ms", 1_000],
  ["s", 1_000_000],
  ["m", 60_000_000],
  ["h", 3_600_000_000],
  ["d", 86_400_000_000],
]);

const sizeUnits = new Map([
  ["B", 1],
  ["KB", 1_000],
  ["MB", 1_000_000],
  ["GB", 1_000_000_000],
  ["KiB", 1024],
  ["MiB", 1024 ** 2],
  ["GiB", 1024 ** 3],
]);

/** For the schema that editors read; the parsers below say the same. */
export const durationPattern = /^\d{1,9}(\.\d{1,6})?(us|ms|s|m|h|d)$/;
export const sizePattern = /^\d{1,9}(\.\d{1,6})?(B|KB|MB|GB|KiB|MiB|GiB)$/;

/** "500ms", "10s", "1.5h" → microseconds; null for anything else, also without a unit. */
export function parseDuration(text: string): Duration | null {
  const n = quantity(text, durationPattern, durationUnits);
  return n === null ? null : micros(Math.round(n));
}

/** "64KiB", "1MB", "512B" → bytes, rounded down; null for anything else, also without a unit. */
export function parseSize(text: string): number | null {
  const n = quantity(text, sizePattern, sizeUnits);
  return n === null ? null : Math.floor(n);
}

/** The shortest exact text in one unit: 90 s is "90s", 120 s is "2m". */
export const formatDuration = (d: Duration): string => inLargestUnit(d, durationUnits);

export function formatSize(bytes: number): string {
  return bytes === Infinity ? "unlimited" : inLargestUnit(bytes, sizeUnits);
}

function quantity(text: string, form: RegExp, units: ReadonlyMap<string, number>): number | null {
  if (!form.test(text)) return null;
  const unitAt = text.search(/[a-zA-Z]/);
  const unit = units.get(text.slice(unitAt));
  return unit === undefined ? null : Number(text.slice(0, unitAt)) * unit;
}

function inLargestUnit(n: number, units: ReadonlyMap<string, number>): string {
  let best = "";
  let size = 0;
  for (const [name, factor] of units) {
    if (n % factor !== 0 || factor <= size || n === 0) continue;
    best = `${n / factor}${name}`;
    size = factor;
  }
  return best === "" ? `${n}${units.keys().next().value}` : best;
}
