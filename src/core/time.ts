/** A point on a monotonic clock, in whole microseconds. Its zero is arbitrary. */
export type Instant = number & { readonly __instant: unique symbol };

/** A length of time in whole microseconds. */
export type Duration = number & { readonly __duration: unique symbol };

export interface Clock {
  /** The current instant; cheap, and may stand still within one turn of a reactor. */
  now(): Instant;
}

export const instant = (microseconds: number): Instant => Math.trunc(microseconds) as Instant;
export const micros = (n: number): Duration => Math.trunc(n) as Duration;
export const millis = (n: number): Duration => Math.trunc(n * 1_000) as Duration;
export const seconds = (n: number): Duration => Math.trunc(n * 1_000_000) as Duration;

export const after = (at: Instant, d: Duration): Instant => (at + d) as Instant;
export const elapsed = (from: Instant, to: Instant): Duration => (to - from) as Duration;
export const toMillis = (d: Duration): number => d / 1_000;
