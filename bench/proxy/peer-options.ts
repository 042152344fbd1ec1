import type { startPeer } from "../harness/start-peer.ts";
import type { Options } from "./options.ts";
import type { Scenario } from "./scenarios.ts";

/** What a scenario wants of a proxy. */
export const peerOptions = (
  { workers, forwarded, largeBodies }: Scenario,
  { nodeFlags }: Options,
  originPort: number,
): Parameters<typeof startPeer>[1] => ({ originPort, workers, forwarded, largeBodies, nodeFlags });
