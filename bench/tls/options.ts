import {
  type ContestChoice,
  type ContestOptions,
  contestUsage,
  parseContestOptions,
} from "../harness/contest-options.ts";
import { haproxy } from "../peers/haproxy.ts";
import { millrace, millraceNode } from "../peers/millrace.ts";
import { nginx } from "../peers/nginx.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

export type Options = ContestOptions<Scenario>;

const choice: ContestChoice<Scenario> = {
  script: "bench:tls",
  scenarios,
  peers: [nginx, haproxy, millrace, millraceNode],
};

export const usage = contestUsage(choice);

export const parseOptions = (args: readonly string[]): Options => parseContestOptions(choice, args);
