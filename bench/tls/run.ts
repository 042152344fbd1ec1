import { removeFolder, temporaryFolder } from "../../test/support/temporary-folder.ts";
import { runContest } from "../harness/contest.ts";
import { measureRounds } from "../harness/measured-rounds.ts";
import { makeCertificate } from "./certificate.ts";
import type { Options } from "./options.ts";
import { compared, type Report, type Turn, turnFigures } from "./results.ts";
import type { Scenario } from "./scenarios.ts";
import { scenarioTable } from "./table.ts";
import { takeTurn } from "./turn.ts";

export async function runBenchmark(options: Options, interrupted: AbortSignal): Promise<Report> {
  const folder = temporaryFolder("bench-tls");
  try {
    const tls = makeCertificate(folder);
    return await runContest(
      {
        name: "tls",
        loads: { wrk: "-v" },
        run: (scenario, peers, origin) =>
          measureRounds<Turn, Scenario>(scenario, options, {
            peers,
            figures: turnFigures,
            compared,
            peerOptions: { originPort: origin.port, largeBodies: scenario.largeBodies, tls },
            takeTurn: (contestant, warmUpSeconds) =>
              takeTurn(scenario, contestant, warmUpSeconds, options.seconds),
          }),
        table: scenarioTable,
      },
      options,
      interrupted,
    );
  } finally {
    removeFolder(folder);
  }
}
