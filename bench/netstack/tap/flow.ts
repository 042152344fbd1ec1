import { join } from "node:path";
import type { Namespace } from "../../../test/netstack/kernel/namespace.ts";
import type { RunningProcess } from "../../../test/support/processes.ts";
import type { FlowTurn } from "./contestant.ts";

const programs = join(import.meta.dirname, "..", "programs");
const BYTES_PER_CHUNK = 65_536;

interface Measured {
  readonly bytes: number;
  readonly millis: number;
  readonly cpuMicros: number;
}

export interface FlowOptions {
  readonly mode: "send" | "receive" | "blast";
  readonly address: string;
  readonly port: number;
  readonly millis: number;
  /** Whose CPU time is taken. */
  readonly pid: number;
}

/** One flow of a kernel's socket in a namespace. */
export async function flow(namespace: Namespace, options: FlowOptions): Promise<FlowTurn> {
  const { mode, address, port, millis, pid } = options;
  const line = `${process.execPath} ${programs}/traffic.ts ${mode} ${address} ${port} ${millis} ${pid}`;
  const measured = JSON.parse(await namespace.run(line)) as Measured;
  return {
    gigabitsPerSecond: (measured.bytes * 8) / measured.millis / 1e6,
    cpuPer64KiB: measured.cpuMicros / (measured.bytes / BYTES_PER_CHUNK),
  };
}

/** A program of this benchmark's that goes on in a namespace, once it says that it is ready. */
export function startProgram(
  namespace: Namespace,
  file: string,
  ...args: readonly (string | number)[]
): Promise<RunningProcess> {
  return namespace.start({
    command: process.execPath,
    args: [join(programs, file), ...args.map(String)],
    ready: { output: /ready/ },
    timeoutMs: 20_000,
  });
}
