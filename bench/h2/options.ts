import { parseFlags, pick, positive } from "../harness/command-line.ts";
import { millrace, millraceNode } from "../peers/millrace.ts";
import { nginx } from "../peers/nginx.ts";
import { nodeHttp2 } from "../peers/node-http2.ts";
import type { Peer } from "../peers/peer.ts";
import type { H2Load } from "./h2load.ts";

export interface Scenario {
  readonly name: string;
  readonly describes: string;
  readonly load: H2Load;
}

export const scenarios: readonly Scenario[] = [
  {
    name: "small-10x32",
    describes: "10 connections of 32 streams, 100-byte responses",
    load: { path: "/small", connections: 10, streams: 32 },
  },
  {
    name: "small-1x100",
    describes: "one connection of 100 streams, 100-byte responses",
    load: { path: "/small", connections: 1, streams: 100 },
  },
  {
    name: "download-100k",
    describes: "10 connections of 8 streams, 100 KiB responses",
    load: { path: "/100k", connections: 10, streams: 8 },
  },
];

export const peers: readonly Peer[] = [nginx, nodeHttp2, millrace, millraceNode];

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly Peer[];
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly rounds: number;
  readonly requireAll: boolean;
  readonly nodeFlags: readonly string[];
  readonly save: string | null;
}

export const usage = `Usage: npm run bench:h2 -- [options]
  --only NAMES       scenarios, comma-separated: ${scenarios.map((s) => s.name).join(", ")}
  --peers NAMES      ${peers.map((p) => p.name).join(", ")}
  --seconds N        of each measurement (default 4)
  --warm-up N        seconds before each measurement (default 1; threefold before the first)
  --rounds N         A B C, A B C, … (default 5)
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
