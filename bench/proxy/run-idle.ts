import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startProcess } from "../../test/support/processes.ts";
import { pinned } from "../harness/launcher.ts";
import { cpuOfGroup, memoryOfGroup } from "../harness/process-usage.ts";
import { say } from "../harness/report.ts";
import { startPeer } from "../harness/start-peer.ts";
import type { Peer } from "../peers/peer.ts";
import type { Options } from "./options.ts";
import { peerOptions } from "./peer-options.ts";
import type { IdleResult } from "./results.ts";
import type { IdleScenario } from "./scenarios.ts";

const clients = fileURLToPath(new URL("idle-clients.ts", import.meta.url));

/** One peer after the other: memory has no use for rounds. */
export async function runIdle(
  scenario: IdleScenario,
  options: Options,
  peers: readonly Peer[],
  originPort: number,
): Promise<Record<string, IdleResult>> {
  const results: Record<string, IdleResult> = {};
  for (const peer of peers) {
    results[peer.name] = await holdConnections(peer, scenario, options, originPort);
    const { held } = results[peer.name]!;
    say(`  ${peer.name}: ${(held.resident / 1e6).toFixed(1)} MB`);
  }
  return results;
}

async function holdConnections(
  peer: Peer,
  scenario: IdleScenario,
  options: Options,
  originPort: number,
): Promise<IdleResult> {
  const { port, running } = await startPeer(peer, peerOptions(scenario, options, originPort));
  try {
    const before = memoryOfGroup(running.pid);
    const [command, ...args] = [...pinned("1"), process.execPath, clients];
    await using holder = await startProcess({
      command: command!,
      args: [...args, String(port), String(scenario.connections)],
      ready: { output: /"opened"/ },
      timeoutMs: 90_000,
    });
    // Let buffers of the burst be given back before the clock of the idle phase starts.
    await sleep(2_000);
    const cpuBefore = cpuOfGroup(running.pid);
    await sleep(options.seconds * 1_000);
    const cpuAfter = cpuOfGroup(running.pid);
    const held = memoryOfGroup(running.pid);
    await holder.stop();
    const cpu = cpuAfter.user + cpuAfter.system - cpuBefore.user - cpuBefore.system;
    return {
      kind: "idle",
      ...lastCount(holder.stdout),
      before,
      held,
      cpuMillisPerSecond: cpu / 1e3 / options.seconds,
    };
  } finally {
    await running.stop();
  }
}

function lastCount(output: string): { opened: number; failed: number; lost: number } {
  const counts = JSON.parse(output.trim().split("\n").at(-1) ?? "");
  return { opened: counts.opened, failed: counts.failed, lost: counts.lost };
}
