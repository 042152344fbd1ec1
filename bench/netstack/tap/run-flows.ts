import { once } from "node:events";
import { say } from "../../harness/report.ts";
import { spread } from "../../harness/statistics.ts";
import type { FlowOutcome, Ratio } from "../results.ts";
import { loopback, rawReads, relay } from "./ceilings.ts";
import type { Contestant, Direction, FlowResult, FlowTurn, Starter } from "./contestant.ts";
import { millrace } from "./millrace.ts";
import { slirp } from "./slirp.ts";

const JUMBO = 65_520;
const USUAL = 1_500;
/** Of the servers that slirp4netns leads to. */
const FIRST_PORT = 25_201;

const STARTERS: readonly Starter[] = [
  (resources) => millrace("millrace-65520", JUMBO, true, resources),
  (resources) => millrace("millrace-1500", USUAL, true, resources),
  (resources) => millrace("millrace-1500-plain", USUAL, false, resources),
  loopback,
  rawReads,
  (resources) => relay("relay-65520", JUMBO, resources),
  (resources) => relay("relay-1500", USUAL, resources),
];

const SLIRP: readonly Starter[] = [
  (resources) => slirp("slirp4netns-65520", JUMBO, FIRST_PORT, resources),
  (resources) => slirp("slirp4netns-1500", USUAL, FIRST_PORT + 2, resources),
];

/** Whose figure stands above whose, and how much more it shall be (null: only to know). */
const COMPARED = [
  ["millrace-65520", "slirp4netns-65520", 2],
  ["millrace-1500", "millrace-65520", 0.5],
  ["millrace-1500", "slirp4netns-65520", 1],
  ["millrace-1500", "slirp4netns-1500", null],
  ["millrace-1500-plain", "slirp4netns-1500", null],
  ["millrace-65520", "relay-65520", null],
  ["millrace-65520", "raw-reads", null],
] as const;

export interface FlowOptions {
  readonly rounds: number;
  readonly millis: number;
  readonly slirp: boolean;
  /** Ends it all, in an orderly way, with an error. */
  readonly interrupted: AbortSignal;
}

interface Series {
  readonly contestant: Contestant;
  readonly direction: Direction;
  readonly turns: FlowTurn[];
}

/** All up together and in turns, so that a slow minute meets them all. */
export async function runFlows(options: FlowOptions): Promise<FlowOutcome> {
  await using resources = new AsyncDisposableStack();
  const all: Series[] = [];
  for (const start of options.slirp ? [...SLIRP, ...STARTERS] : STARTERS) {
    const contestant = await start(resources);
    options.interrupted.throwIfAborted();
    for (const direction of contestant.directions) all.push({ contestant, direction, turns: [] });
  }
  // The turn that is on meanwhile fails when its namespace goes.
  const interruption = once(options.interrupted, "abort").then(() =>
    options.interrupted.throwIfAborted(),
  );
  await Promise.race([interruption, takeTurns(all, options)]);
  return { flows: all.map(result), ratios: ratios(all) };
}

async function takeTurns(all: readonly Series[], options: FlowOptions): Promise<void> {
  for (let round = 1; round <= options.rounds; round++) {
    for (const { contestant, direction, turns } of all) {
      const turn = await contestant.turn(direction, options.millis);
      turns.push(turn);
      const gigabits = turn.gigabitsPerSecond.toFixed(2);
      say(`  ${round}/${options.rounds}  ${direction} ${contestant.name}: ${gigabits}`);
    }
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
