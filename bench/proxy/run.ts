import { runContest } from "../harness/contest.ts";
import type { Options } from "./options.ts";
import { ratiosOf } from "./ratios.ts";
import type { Report } from "./results.ts";
import { runIdle } from "./run-idle.ts";
import { runLoad } from "./run-load.ts";
import { scenarioTable } from "./table.ts";

export const runBenchmark = (options: Options, interrupted: AbortSignal): Promise<Report> =>
  runContest(
    {
      name: "proxy",
      loads: { wrk: "-v" },
      async run(scenario, peers, origin) {
        const results =
          scenario.kind === "load"
            ? await runLoad(scenario, options, peers, origin)
            : await runIdle(scenario, options, peers, origin.port);
        const { name, describes } = scenario;
        return { name, describes, peers: results, ratios: ratiosOf(results) };
      },
      table: scenarioTable,
    },
    options,
    interrupted,
  );
