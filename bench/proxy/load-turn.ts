import { cpuOfGroup } from "../harness/process-usage.ts";
import { runWrk, type WrkLoad } from "../harness/wrk.ts";
import type { Turn } from "./results.ts";

export interface TurnInput {
  /** Of wrk. */
  readonly launcher: readonly string[];
  /** The proxy's process group and port. */
  readonly group: number;
  readonly port: number;
  readonly load: WrkLoad;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** That the proxy may use. */
  readonly cores: number;
}

/** Warms the proxy up, then measures it. */
export async function takeTurn(input: TurnInput): Promise<{ turn: Turn; errors: number }> {
  const { launcher, group, port, load } = input;
  await runWrk(launcher, port, load, input.warmUpSeconds);
  const before = cpuOfGroup(group);
  const result = await runWrk(launcher, port, load, input.seconds);
  const after = cpuOfGroup(group);
  const user = after.user - before.user;
  const system = after.system - before.system;
  const requests = Math.max(1, result.requests);
  const bytes = result.bytes + result.requests * (load.requestBody ?? 0);
  return {
    turn: {
      requestsPerSecond: result.requests / result.seconds,
      cpu: (user + system) / requests,
      cpuUser: user / requests,
      cpuSystem: system / requests,
      busy: (user + system) / 1e6 / result.seconds / input.cores,
      p50: result.p50 / 1e3,
      p99: result.p99 / 1e3,
      megabytesPerSecond: bytes / 1e6 / result.seconds,
    },
    errors: result.errors,
  };
}
