import type { CounterMemory } from "./counters.ts";

/**
 * A histogram of durations that lives in counter memory from `base` on: one slot for each bucket of
 * `DURATION_BOUNDS`, one for what is longer, and last the sum in microseconds. Buckets hold their own
 * count alone; `readHistogram` adds them up as Prometheus wants them.
 */
export const DURATION_BOUNDS: readonly number[] = [
  250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
  2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
];

/** Slots that one histogram takes. */
export const HISTOGRAM_SLOTS = DURATION_BOUNDS.length + 2;

const OVERFLOW = DURATION_BOUNDS.length;
const SUM = DURATION_BOUNDS.length + 1;
// A typed copy: the hot loop reads doubles without a bounds or hole check.
const bounds = Float64Array.from(DURATION_BOUNDS);

/** Counts one duration, in microseconds. */
export function observe(row: Float64Array, base: number, microseconds: number): void {
  let bucket = 0;
  while (bucket < OVERFLOW && microseconds > bounds[bucket]!) bucket++;
  row[base + bucket]! += 1;
  row[base + SUM]! += microseconds;
}

export interface HistogramReading {
  /** Observations at or under each of DURATION_BOUNDS. */
  readonly cumulative: readonly number[];
  readonly count: number;
  /** Microseconds. */
  readonly sum: number;
}

/** The histogram at `base`, all workers together. */
export function readHistogram(memory: CounterMemory, base: number): HistogramReading {
  let count = 0;
  const cumulative = DURATION_BOUNDS.map((_, bucket) => {
    count += memory.sum(base + bucket);
    return count;
  });
  count += memory.sum(base + OVERFLOW);
  return { cumulative, count, sum: memory.sum(base + SUM) };
}
