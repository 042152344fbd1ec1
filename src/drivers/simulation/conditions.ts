import { below, type Rng, unit } from "../../core/random.ts";
import { type Duration, micros } from "../../core/time.ts";

/** How one direction of a link behaves. All chances are 0 to 1, drawn for each frame. */
export interface LinkConditions {
  /** One-way delay: from here … */
  readonly latency: Duration;
  /** … to here more, drawn for each frame. It does not change their order. */
  readonly jitter: Duration;
  /** Long segments are cut into frames before they are queued, so that each has its own fate. */
  readonly cutSegments: boolean;
  /** Bytes of frames a second; a long segment counts as the frames it would be cut into. */
  readonly bandwidth: number;
  /** What waits for a link with a `bandwidth`; the frame that would go beyond either is dropped. */
  readonly queueBytes: number;
  readonly queueFrames: number;
  /** `drop` at the tail as a router does, or `refuse` as a network card: `transmit` returns false. */
  readonly whenFull: "drop" | "refuse";
  /** From so many bytes in the queue on, packets that allow it are marked (CE, RFC 3168 §5). */
  readonly markAbove: number;
  /** 1 is a partition that nobody is told of. */
  readonly loss: number;
  /** Mean length of a run of losses, in frames; 1: each on its own. `loss` stays the share of all. */
  readonly lossRun: number;
  readonly duplication: number;
  /** How likely a frame is held up by `reorderDelay`, while those behind it pass. */
  readonly reordering: number;
  readonly reorderDelay: Duration;
  /**
   * How likely one bit of an IP packet is flipped. Other frames, which have no checksum but
   * Ethernet's, are lost instead.
   */
  readonly corruption: number;
  /** The MTU of the devices at both ends, which are told of a change: 68 to 65,535. */
  readonly mtu: number;
  /** IP packets longer than this vanish without a word: a path whose MTU nobody tells. */
  readonly blackHoleAbove: number;
}

/** Ethernet without faults: 100 µs, as fast as one likes. */
export const CALM: LinkConditions = Object.freeze({
  latency: micros(100),
  jitter: micros(0),
  cutSegments: false,
  bandwidth: Number.POSITIVE_INFINITY,
  queueBytes: 1 << 20,
  queueFrames: Number.POSITIVE_INFINITY,
  whenFull: "drop",
  markAbove: Number.POSITIVE_INFINITY,
  loss: 0,
  lossRun: 1,
  duplication: 0,
  reordering: 0,
  reorderDelay: micros(1_000),
  corruption: 0,
  mtu: 1500,
  blackHoleAbove: Number.POSITIVE_INFINITY,
});

const CHANCES = ["loss", "duplication", "reordering", "corruption"] as const;
const AMOUNTS = [
  "latency",
  "jitter",
  "bandwidth",
  "queueBytes",
  "queueFrames",
  "markAbove",
  "lossRun",
  "reorderDelay",
  "blackHoleAbove",
] as const;

/** Throws a RangeError for what no link can be like, such as `loss: 5` for five in a hundred. */
export function checkConditions(conditions: LinkConditions): void {
  for (const name of CHANCES) checkWithin(name, conditions[name], 0, 1);
  for (const name of AMOUNTS) checkWithin(name, conditions[name], 0, Number.POSITIVE_INFINITY);
  checkWithin("mtu", conditions.mtu, 68, 65_535);
}

function checkWithin(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  const range = most === Number.POSITIVE_INFINITY ? `${least} or more` : `${least} to ${most}`;
  throw new RangeError(`${name} of a link: ${value} is not ${range}`);
}

export const drawLatency = (link: LinkConditions, rng: Rng): number =>
  link.jitter <= 0 ? link.latency : link.latency + below(rng, link.jitter + 1);

export const happens = (chance: number, rng: Rng): boolean => chance > 0 && unit(rng) < chance;

/** Losses, alone or in runs (Gilbert 1960: a good state that loses nothing, a bad one that loses all). */
export class LossModel {
  #bad = false;

  draw(link: LinkConditions, rng: Rng): boolean {
    const { loss, lossRun } = link;
    if (loss <= 0) return (this.#bad = false);
    if (loss >= 1 || lossRun <= 1) return unit(rng) < loss;
    // The share of time in the bad state, p / (p + r), is to be `loss`, with r = 1 / lossRun.
    const leave = 1 / lossRun;
    const enter = (loss * leave) / (1 - loss);
    this.#bad = unit(rng) < (this.#bad ? 1 - leave : enter);
    return this.#bad;
  }
}
