import { contestTable, digits, whole, withExtremes } from "../harness/columns.ts";
import type { ScenarioResult } from "./results.ts";

const titles = ["per s", "(min – max)", "CPU µs", "(min – max)", "user", "system", "busy"].concat(
  "client µs",
  "MB/s",
  "memory MB",
  "errors",
);

export const scenarioTable = (scenario: ScenarioResult): string =>
  contestTable(scenario, titles, ({ figures, memory, errors }) => [
    ...withExtremes(figures.requestsPerSecond, whole),
    ...withExtremes(figures.cpu),
    digits(figures.cpuUser.median),
    digits(figures.cpuSystem.median),
    `${whole(figures.busy.median * 100)} %`,
    digits(figures.clientCpu.median),
    whole(figures.megabytesPerSecond.median),
    (memory / 1e6).toFixed(1),
    String(errors),
  ]);
