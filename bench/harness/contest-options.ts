import type { Peer } from "../peers/peer.ts";
import { parseFlags, pick, positive } from "./command-line.ts";

/** What proxies are compared in. */
export interface ContestScenario {
  readonly name: string;
  readonly describes: string;
}

export interface ContestOptions<S extends ContestScenario> {
  readonly scenarios: readonly S[];
  readonly peers: readonly Peer[];
  /** Of measurement in one turn of one peer. */
  readonly seconds: number;
  /** Before each measurement; three times as much before the first of a peer. */
  readonly warmUpSeconds: number;
  readonly rounds: number;
  /** A missing program or peer fails the run. */
  readonly requireAll: boolean;
  /** Flags for the Node of the peers that run on it. */
  readonly nodeFlags: readonly string[];
  /** Where the results go besides bench/out. */
  readonly save: string | null;
}

/** What there is to choose from. */
export interface ContestChoice<S extends ContestScenario> {
  /** `npm run …` */
  readonly script: string;
  readonly scenarios: readonly S[];
  readonly peers: readonly Peer[];
}

const names = (all: readonly { readonly name: string }[]): string =>
  all.map(({ name }) => name).join(", ");

export const contestUsage = <S extends ContestScenario>(choice: ContestChoice<S>): string =>
  `Usage: npm run ${choice.script} -- [options]
  --only NAMES       scenarios, comma-separated: ${names(choice.scenarios)}
  --peers NAMES      ${names(choice.peers)}
  --seconds N        of each measurement (default 4)
  --warm-up N        seconds before each measurement (default 1; threefold before the first)
  --rounds N         A B C, A B C, … (default 5)
  --quick            3 rounds of 2 seconds
  --require-all      fail when a program is missing instead of leaving it out
  --node-flags TEXT  for the peers that run on Node, e.g. --node-flags=--cpu-prof
  --save FILE        also write the results there
`;

/** Throws UsageError. */
export function parseContestOptions<S extends ContestScenario>(
  { scenarios, peers }: ContestChoice<S>,
  args: readonly string[],
): ContestOptions<S> {
  const values = parseFlags(args, {
    only: { type: "string" },
    peers: { type: "string" },
    seconds: { type: "string" },
    "warm-up": { type: "string" },
    rounds: { type: "string" },
    quick: { type: "boolean" },
    "require-all": { type: "boolean" },
    "node-flags": { type: "string" },
    save: { type: "string" },
  });
  const quick = values.quick === true;
  const byDefault = peers.filter((peer) => peer.byDefault);
  return {
    scenarios: pick("--only", values.only, scenarios, scenarios),
    peers: pick("--peers", values.peers, peers, byDefault),
    seconds: positive("--seconds", values.seconds, quick ? 2 : 4),
    warmUpSeconds: positive("--warm-up", values["warm-up"], 1),
    rounds: positive("--rounds", values.rounds, quick ? 3 : 5),
    requireAll: values["require-all"] === true,
    nodeFlags: values["node-flags"]?.split(" ") ?? [],
    save: values.save ?? null,
  };
}
