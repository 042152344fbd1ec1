import { freePort } from "../../test/support/ports.ts";
import type { RunningProcess } from "../../test/support/processes.ts";
import { removeFolder, temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { Peer } from "../peers/peer.ts";
import { pinned } from "./launcher.ts";
import type { Options } from "./options.ts";
import type { Scenario } from "./scenarios.ts";

/** Starts a proxy on core 0; with two workers on cores 0 and 1, where the load runs too. */
export async function startPeer(
  peer: Peer,
  scenario: Scenario,
  options: Options,
  originPort: number,
): Promise<{ port: number; running: RunningProcess }> {
  const port = await freePort();
  const folder = temporaryFolder(`bench-${peer.name}`);
  try {
    const running = await peer.start({
      port,
      originPort,
      workers: scenario.workers,
      forwarded: scenario.forwarded,
      largeBodies: scenario.largeBodies,
      folder,
      launcher: pinned(scenario.workers > 1 ? "0,1" : "0"),
      nodeFlags: options.nodeFlags,
    });
    void running.exited.then(() => removeFolder(folder));
    return { port, running };
  } catch (error) {
    removeFolder(folder);
    throw error;
  }
}
