import type { SocketAddress } from "../core/address.ts";
import type { UpstreamTimeouts } from "./settings.ts";

/**
 * Where a request goes: the name of a configured upstream, or one address with what is particular to
 * it ("127.0.0.1:9000", "[::1]:80", "unix:/run/app.sock", or parsed).
 */
export type Peer = string | AddressPeer;

export interface AddressPeer {
  readonly address: string | SocketAddress;
  /** Overrides of the defaults. */
  readonly timeouts?: Partial<UpstreamTimeouts>;
  /** The Host to send; without it the client's. */
  readonly host?: string;
}
