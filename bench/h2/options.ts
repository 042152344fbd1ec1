import {
  type ContestChoice,
  type ContestOptions,
  contestUsage,
  parseContestOptions,
} from "../harness/contest-options.ts";
import { grpcJs } from "../peers/grpc-js.ts";
import { millrace, millraceNode } from "../peers/millrace.ts";
import { nginx } from "../peers/nginx.ts";
import { nodeHttp2 } from "../peers/node-http2.ts";
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
  {
    name: "grpc-10x32",
    describes: "10 connections of 32 unary calls of gRPC, messages of 100 bytes, to gRPC",
    load: { path: "/bench.Echo/Unary", connections: 10, streams: 32, grpc: true },
  },
];

export type Options = ContestOptions<Scenario>;

const choice: ContestChoice<Scenario> = {
  script: "bench:h2",
  scenarios,
  peers: [nginx, nodeHttp2, grpcJs, millrace, millraceNode],
};

export const usage = contestUsage(choice);

export const parseOptions = (args: readonly string[]): Options => parseContestOptions(choice, args);
