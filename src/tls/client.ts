import type { TlsTarget } from "./client-config.ts";
import type { TlsEngine, TlsEngineOwner } from "./engine.ts";

/** The client side of TLS for one upstream and one worker thread: trust, identity, kept sessions. */
export interface TlsClient {
  engine(target: TlsTarget, owner: TlsEngineOwner): TlsEngine;
  /** Live engines go on; none can be made. */
  close(): void;
  [Symbol.dispose](): void;
}
