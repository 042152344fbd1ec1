import { spread } from "../../proxy/statistics.ts";
import type { FlowOutcome, Ratio } from "../results.ts";
import { loopback, rawReads, relay } from "./ceilings.ts";
import type { Contestant, Direction, FlowResult, FlowTurn } from "./contestant.ts";
import { millrace } from "./millrace.ts";
import { slirp } from "./slirp.ts";

const JUMBO = 65_520;
const USUAL = 1_500;
/** Of the servers that slirp4netns leads to. */
const FIRST_PORT = 25_201;

const STARTERS: readonly (() => Promise<Contestant>)[] = [
  () => millrace("millrace-65520", JUMBO, true),
  () => millrace("millrace-1500", USUAL, true),
  () => millrace("millrace-1500-plain", USUAL, false),
  loopback,
  rawReads,
  () => relay("relay-65520", JUMBO),
  () => relay("relay-1500", USUAL),
];

const SLIRP: typeof STARTERS = [
  () => slirp("slirp4netns-65520", JUMBO, FIRST_PORT),
  () => slirp("slirp4netns-1500", USUAL, FIRST_PORT + 2),
];

/** Whose figure stands above whose, and how much more it shall be (null: only to know). */
const COMPARED = [
  ["millrace-65520", "slirp4netns-65520", 2],
  ["millrace-1500", "millrace-65520", 0.5],
  ["millrace-1500", "slirp4netns-65520", 1],
  ["millrace-1500", "slirp4netns-1500", null],
] as const;

export interface FlowOptions {
  readonly rounds: number;
  readonly millis: number;
  readonly slirp: boolean;
  readonly say: (line: string) => void;
}

interface Series {
  readonly contestant: Contestant;
  readonly direction: Direction;
  readonly turns: FlowTurn[];
}

/** All up together and in turns, so that a slow minute meets them all. */
export async function runFlows(options: FlowOptions): Promise<FlowOutcome> {
  const contestants: Contestant[] = [];
  try {
    const starters = options.slirp ? [...SLIRP, ...STARTERS] : STARTERS;
    for (const start of starters) contestants.push(await start());
    const all: Series[] = contestants.flatMap((contestant) =>
      contestant.directions.map((direction) => ({ contestant, direction, turns: [] })),
    );
    for (let round = 1; round <= options.rounds; round++) {
      for (const { contestant, direction, turns } of all) {
        const turn = await contestant.turn(direction, options.millis);
        turns.push(turn);
        const gigabits = turn.gigabitsPerSecond.toFixed(2);
        options.say(`  ${round}/${options.rounds}  ${direction} ${contestant.name}: ${gigabits}`);
      }
    }
    return { flows: all.map(result), ratios: ratios(all) };
  } finally {
    for (const contestant of contestants) await contestant.close();
  }
}

function result({ contestant, direction, turns }: Series) {
  const { name, describes } = contestant;
  const figures: FlowResult = {
    gigabitsPerSecond: spread(turns.map((turn) => turn.gigabitsPerSecond)),
    cpuPer64KiB: spread(turns.map((turn) => turn.cpuPer64KiB)),
    turns,
  };
  return { name, describes, direction, ...figures };
}

/** Within a round, then over the rounds. */
function ratios(all: readonly Series[]): Ratio[] {
  const made: Ratio[] = [];
  for (const direction of ["to", "from"] as const) {
    for (const [ours, theirs, target] of COMPARED) {
      const [above, below] = [ours, theirs].map((name) =>
        all.find((one) => one.contestant.name === name && one.direction === direction),
      );
      if (above === undefined || below === undefined) continue;
      const each = above.turns.map(
        (turn, round) => turn.gigabitsPerSecond / below.turns[round]!.gigabitsPerSecond,
      );
      made.push({ direction, ours, theirs, target, ratio: spread(each) });
    }
  }
  return made;
}
