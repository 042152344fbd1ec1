import { parseFlags, pick, positive } from "../harness/command-line.ts";
import { haproxy } from "../peers/haproxy.ts";
import { httpProxy3 } from "../peers/http-proxy-3.ts";
import { millrace, millraceNode } from "../peers/millrace.ts";
import { nginx } from "../peers/nginx.ts";
import type { Peer } from "../peers/peer.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

export const peers: readonly Peer[] = [nginx, haproxy, httpProxy3, millrace, millraceNode];

export interface Options {
  readonly scenarios: readonly Scenario[];
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

export const usage = `Usage: npm run bench:proxy -- [options]
  --only NAMES       scenarios, comma-separated: ${scenarios.map((s) => s.name).join(", ")}
  --peers NAMES      ${peers.map((p) => p.name).join(", ")}
  --seconds N        of each measurement (default 4)
  --warm-up N        seconds before each measurement (default 1; threefold before the first)
  --rounds N         A B C D, A B C D, … (default 5)
  --quick            3 rounds of 2 seconds
  --require-all      fail when a program is missing instead of leaving it out
  --node-flags TEXT  for the peers that run on Node, e.g. --node-flags=--cpu-prof
  --save FILE        also write the results there
`;

export function parseOptions(args: readonly string[]): Options {
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
  return {
    scenarios: pick("--only", values.only, scenarios, scenarios),
    peers: pick(
      "--peers",
      values.peers,
      peers,
      peers.filter((peer) => peer.byDefault),
    ),
    seconds: positive("--seconds", values.seconds, quick ? 2 : 4),
    warmUpSeconds: positive("--warm-up", values["warm-up"], 1),
    rounds: positive("--rounds", values.rounds, quick ? 3 : 5),
    requireAll: values["require-all"] === true,
    nodeFlags: values["node-flags"]?.split(" ") ?? [],
    save: values.save ?? null,
  };
}
