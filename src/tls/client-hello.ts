/** What a ClientHello tells before anything is agreed. */
export interface ClientHello {
  /** The host name in SNI, in lower case without a final dot; null where there is none. */
  readonly serverName: string | null;
  /** Protocols offered by ALPN, as latin-1 text. */
  readonly alpn: readonly string[];
  /** Offers TLS 1.3. */
  readonly tls13: boolean;
  /** The first 16 bytes of the first ticket it shows, which name the key; null where there is none. */
  readonly ticketName: Uint8Array | null;
}
