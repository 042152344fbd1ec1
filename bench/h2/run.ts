import { runContest } from "../harness/contest.ts";
import { pinned } from "../harness/launcher.ts";
import { measureRounds } from "../harness/measured-rounds.ts";
import { cpuOfGroup } from "../harness/process-usage.ts";
import type { Contestant } from "../harness/rounds.ts";
import { checkCall, messageFile } from "./grpc-call.ts";
import { runH2load } from "./h2load.ts";
import type { Options, Scenario } from "./options.ts";
import { compared, type Report, type Turn, turnFigures } from "./results.ts";
import { scenarioTable } from "./table.ts";

export const runBenchmark = (options: Options, interrupted: AbortSignal): Promise<Report> =>
  runContest(
    {
      name: "h2",
      loads: { h2load: "--version" },
      run(scenario, peers, origin) {
        const { grpc = false, path } = scenario.load;
        return measureRounds<Turn, Scenario>(scenario, options, {
          peers: peers.filter(({ speaks }) => speaks !== (grpc ? "http" : "grpc")),
          figures: turnFigures,
          compared,
          peerOptions: {
            originPort: grpc ? origin.grpcPort : origin.port,
            largeBodies: true,
            http2: true,
            grpc,
          },
          check: async ({ port }) => {
            if (grpc) await checkCall(port, path);
          },
          takeTurn: (contestant, warmUpSeconds) =>
            takeTurn(contestant, scenario, warmUpSeconds, options.seconds),
        });
      },
      table: scenarioTable,
    },
    options,
    interrupted,
  );

/** Warms the proxy up, then measures it. */
async function takeTurn(
  { port, running }: Contestant,
  { load }: Scenario,
  warmUpSeconds: number,
  seconds: number,
): Promise<{ turn: Turn; errors: number }> {
  const launcher = pinned("1");
  const message = load.grpc === true ? messageFile() : null;
  await runH2load(launcher, port, load, warmUpSeconds, message);
  const before = cpuOfGroup(running.pid);
  const result = await runH2load(launcher, port, load, seconds, message);
  const after = cpuOfGroup(running.pid);
  const cpu = after.user + after.system - before.user - before.system;
  const turn = {
    requestsPerSecond: result.requests / result.seconds,
    cpu: cpu / Math.max(1, result.requests),
    busy: cpu / 1e6 / result.seconds,
    meanTime: result.meanTime / 1e3,
    megabytesPerSecond: result.bytes / 1e6 / result.seconds,
  };
  return { turn, errors: result.errors };
}
