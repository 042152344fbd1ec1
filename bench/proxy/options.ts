import {
  type ContestChoice,
  type ContestOptions,
  contestUsage,
  parseContestOptions,
} from "../harness/contest-options.ts";
import { haproxy } from "../peers/haproxy.ts";
import { httpProxy3 } from "../peers/http-proxy-3.ts";
import { millrace, millraceNode } from "../peers/millrace.ts";
import { nginx } from "../peers/nginx.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

export type Options = ContestOptions<Scenario>;

const choice: ContestChoice<Scenario> = {
  script: "bench:proxy",
  scenarios,
  peers: [nginx, haproxy, httpProxy3, millrace, millraceNode],
};

export const usage = contestUsage(choice);

export const parseOptions = (args: readonly string[]): Options => parseContestOptions(choice, args);
