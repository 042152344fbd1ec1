import { contestTable, whole, withExtremes } from "../harness/columns.ts";
import type { ScenarioResult } from "./results.ts";

const titles = ["requests/s", "(min – max)", "CPU µs", "(min – max)", "busy"].concat(
  "mean ms",
  "MB/s",
  "memory MB",
  "errors",
);

export const scenarioTable = (scenario: ScenarioResult): string =>
  contestTable(scenario, titles, ({ figures, memory, errors }) => [
    ...withExtremes(figures.requestsPerSecond, whole),
    ...withExtremes(figures.cpu),
    `${whole(figures.busy.median * 100)} %`,
    figures.meanTime.median.toFixed(2),
    whole(figures.megabytesPerSecond.median),
    (memory / 1e6).toFixed(1),
    String(errors),
  ]);
