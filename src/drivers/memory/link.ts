import { below, type Rng, unit } from "../../core/random.ts";
import { type Duration, micros, millis } from "../../core/time.ts";

/** How a connection behaves, the same in both directions. */
export interface LinkConditions {
  /** One-way delay, drawn for each delivery between these two; order is kept. */
  readonly latency: readonly [Duration, Duration];
  /** Bytes on their way or unread at the receiver; past it they queue at the sender. */
  readonly window: number;
  /**
   * Largest piece in which bytes travel and are handed over; sizes below are drawn so that small and
   * large ones are both common. `Infinity`: as written.
   */
  readonly largestPiece: number;
  /** How likely a delivery is held up (0 to 1), together with all behind it, and for how long. */
  readonly stallChance: number;
  readonly stall: readonly [Duration, Duration];
  /** How likely a delivery is lost to a reset of both ends (0 to 1). */
  readonly resetChance: number;
  /** Both ends are reset once as many bytes, counted over both directions, have arrived. */
  readonly resetAfter: number;
}

/** What is written arrives as it was written, after 100 µs. */
export const CALM: LinkConditions = {
  latency: [micros(100), micros(100)],
  window: 64 * 1024,
  largestPiece: Number.POSITIVE_INFINITY,
  stallChance: 0,
  stall: [millis(0), millis(0)],
  resetChance: 0,
  resetAfter: Number.POSITIVE_INFINITY,
};

/** Bytes come in pieces of any size, at any time; nothing is lost. */
export const CHOPPY: LinkConditions = {
  ...CALM,
  latency: [micros(20), millis(3)],
  largestPiece: 32 * 1024,
  stallChance: 0.02,
  stall: [millis(5), millis(200)],
};

export function drawLatency(link: LinkConditions, rng: Rng): number {
  const [least, most] = link.latency;
  const held = link.stallChance > 0 && unit(rng) < link.stallChance;
  return between(least, most, rng) + (held ? between(link.stall[0], link.stall[1], rng) : 0);
}

/** The size of the next piece of `available` bytes, at least 1. */
export function drawPiece(link: LinkConditions, rng: Rng, available: number): number {
  if (link.largestPiece === Number.POSITIVE_INFINITY) return available;
  // Uniform over the powers of two first: one byte is as likely as half of the largest.
  const powers = Math.floor(Math.log2(link.largestPiece)) + 1;
  const most = Math.min(2 ** (1 + below(rng, powers)), link.largestPiece);
  return Math.min(available, 1 + below(rng, most));
}

/** How long what has arrived waits to be read, so that it may meet what follows. */
export function drawReadDelay(link: LinkConditions, rng: Rng): number {
  if (link.largestPiece === Number.POSITIVE_INFINITY) return 0;
  return (rng.u32() & 1) === 0 ? 0 : between(0, link.latency[1], rng);
}

export const drawReset = (link: LinkConditions, rng: Rng): boolean =>
  link.resetChance > 0 && unit(rng) < link.resetChance;

const between = (least: number, most: number, rng: Rng): number =>
  most <= least ? least : least + below(rng, most - least + 1);
