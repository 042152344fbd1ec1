import { freePort } from "../../test/support/ports.ts";
import { removeFolder, temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { Peer, PeerOptions } from "../peers/peer.ts";
import { pinned } from "./launcher.ts";
import type { Contestant } from "./rounds.ts";

/** Starts a proxy on core 0; with two workers on cores 0 and 1, where the load runs too. */
export async function startPeer(
  peer: Peer,
  options: Omit<PeerOptions, "port" | "folder" | "launcher">,
): Promise<Contestant> {
  const port = await freePort();
  const folder = temporaryFolder(`bench-${peer.name}`);
  try {
    const running = await peer.start({
      ...options,
      port,
      folder,
      launcher: pinned(options.workers > 1 ? "0,1" : "0"),
    });
    void running.exited.then(() => removeFolder(folder));
    return { peer, port, running };
  } catch (error) {
    removeFolder(folder);
    throw error;
  }
}
