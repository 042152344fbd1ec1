import { join } from "node:path";
import { type RunningProcess, startProcess } from "../../../test/support/processes.ts";

const traffic = join(import.meta.dirname, "..", "programs", "traffic.ts");

/** A kernel's socket on this host that takes, or sends, for ever. */
export const startServer = (mode: "sink" | "source", port: number): Promise<RunningProcess> =>
  startProcess({
    command: process.execPath,
    args: [traffic, mode, String(port)],
    ready: { output: /ready/ },
  });
