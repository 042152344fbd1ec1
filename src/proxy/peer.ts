import type { SocketAddress } from "../core/address.ts";
import type { UpstreamProtocol, UpstreamTimeouts } from "./settings.ts";

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
  /** What is spoken to it. Default "auto": over TLS what it chooses (ALPN), in plain HTTP/1.1. */
  readonly protocol?: UpstreamProtocol;
  /** Speaks TLS to it; true: verified by the system's authorities, by its address. Default: in plain. */
  readonly tls?: boolean | PeerTls;
}

/** How TLS is spoken to a peer by address. Give the same object again: what it says is looked at once. */
export interface PeerTls {
  /** The name sent as SNI, which the certificate must bear. Default: the address. */
  readonly serverName?: string;
  /** The name that the certificate must bear, where it is not the one that is sent. */
  readonly verifyName?: string;
  /** false: any certificate is taken. */
  readonly verify?: boolean;
  /** The authorities that are trusted, in PEM. Default: the system's. */
  readonly ca?: string;
  /** Shown to servers that ask; PEM. */
  readonly certificate?: { readonly certificate: string; readonly key: string };
}
