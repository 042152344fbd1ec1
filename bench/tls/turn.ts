import { pinned } from "../harness/launcher.ts";
import { cpuOfGroup } from "../harness/process-usage.ts";
import type { Contestant } from "../harness/rounds.ts";
import { runWrk } from "../harness/wrk.ts";
import { runHandshakes } from "./handshakes.ts";
import type { Turn } from "./results.ts";
import type { Scenario } from "./scenarios.ts";

/** What clients saw in one run. */
interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly errors: number;
  /** Microseconds. */
  readonly clientCpu: number;
}

/** Warms the proxy up, then measures it. */
export async function takeTurn(
  scenario: Scenario,
  { port, running }: Contestant,
  warmUpSeconds: number,
  seconds: number,
): Promise<{ turn: Turn; errors: number }> {
  // A handshake is worth twenty requests: it takes longer until there were enough of them to optimise for.
  await runLoad(scenario, port, warmUpSeconds * (scenario.kind === "handshakes" ? 3 : 1));
  const before = cpuOfGroup(running.pid);
  const load = await runLoad(scenario, port, seconds);
  const after = cpuOfGroup(running.pid);
  const requests = Math.max(1, load.requests);
  const cpuUser = (after.user - before.user) / requests;
  const cpuSystem = (after.system - before.system) / requests;
  const cpu = cpuUser + cpuSystem;
  return {
    turn: {
      requestsPerSecond: load.requests / load.seconds,
      cpu,
      cpuUser,
      cpuSystem,
      perCore: 1e6 / cpu,
      busy: (cpu * requests) / 1e6 / load.seconds,
      clientCpu: load.clientCpu / requests,
      megabytesPerSecond: load.bytes / 1e6 / load.seconds,
    },
    errors: load.errors,
  };
}

async function runLoad(scenario: Scenario, port: number, seconds: number): Promise<Load> {
  const launcher = pinned("1");
  if (scenario.kind === "requests") return runWrk(launcher, port, scenario.load, seconds);
  const counts = await runHandshakes(launcher, port, scenario.load, seconds);
  return { ...counts, requests: counts.connections };
}
