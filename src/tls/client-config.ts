import type { Pem, TlsKeyPair, TlsProtocolSettings } from "./protocol-settings.ts";

export interface TlsClientConfig extends TlsProtocolSettings {
  /**
   * Authorities that are trusted, as PEM (several in one text are fine). The system's come from the
   * driver: `tls.getCACertificates()`. An empty list trusts nobody.
   */
  readonly ca: readonly Pem[];
  /** `none`: any certificate is taken. For tests and for networks that are trusted otherwise. */
  readonly verify?: "full" | "none";
  /** Protocols to offer, in the order of preference. */
  readonly alpn?: readonly string[];
  /** Shown to servers that ask. */
  readonly certificate?: TlsKeyPair;
  /** Sessions kept for resumption, one a target; the oldest goes first. 0: none. Default: 256. */
  readonly sessions?: number;
}

/** To whom a connection goes. */
export interface TlsTarget {
  /** The name sent as SNI; "" or an IP address sends none. */
  readonly serverName: string;
  /** The name or IP address that the certificate must bear. Default: `serverName`. */
  readonly verifyName?: string;
  /** Protocols to offer instead of the client's. */
  readonly alpn?: readonly string[];
  /** Sessions are resumed among connections with the same key. Default: both names. */
  readonly sessionKey?: string;
}
