import type { Duration } from "../../core/time.ts";
import type { TlsPolicy, TlsVersion } from "../../tls/protocol-settings.ts";

export type { TlsPolicy, TlsVersion };

/**
 * How a listener speaks TLS. Plain data: it crosses to worker threads. Files are named here and read
 * elsewhere; their paths are absolute once the configuration is in force.
 */
export interface ListenerTlsSettings extends TlsProtocol {
  /** The first answers clients that name no server. */
  readonly certificates: readonly CertificateFiles[];
  /** Whether clients are asked for a certificate; null: they are not. */
  readonly clientCertificates: ClientCertificates | null;
  /** Connections for these names are not terminated here. */
  readonly passthrough: readonly PassthroughRule[];
  /** What a name gets that no certificate has: the first certificate, or an alert. */
  readonly unknownName: "default" | "reject";
  /** null: no session is resumed. */
  readonly tickets: TicketSettings | null;
  /** From the accept to the end of the handshake. */
  readonly handshakeTimeout: Duration;
}

/** Versions and ciphers; null where the policy decides. */
export interface TlsProtocol {
  readonly policy: TlsPolicy;
  readonly minVersion: TlsVersion | null;
  readonly maxVersion: TlsVersion | null;
  /** OpenSSL's list for TLS 1.2. */
  readonly ciphers: string | null;
  /** For TLS 1.3. */
  readonly cipherSuites: string | null;
  readonly groups: string | null;
  /** A file to which the secrets of connections are appended, for debugging. */
  readonly keyLog: string | null;
}

export interface CertificateFiles {
  /** PEM: the certificate, then the chain. */
  readonly cert: string;
  readonly key: string;
  /** The names it is shown for; null: those that it bears. */
  readonly names: readonly string[] | null;
  /** An OCSP response in DER. */
  readonly staple: string | null;
}

export interface PassthroughRule {
  /** As clients send them in SNI; wildcards among them. */
  readonly names: readonly string[];
  /** The name of the upstream whose endpoints get the connection, TLS and all. */
  readonly upstream: string;
}

export interface ClientCertificates {
  readonly mode: "optional" | "required";
  /** PEM: the authorities that are trusted. */
  readonly ca: string;
}

export interface TicketSettings {
  /** Tickets for a full handshake. */
  readonly count: number;
  /** How long a session may be resumed. */
  readonly lifetime: Duration;
  /** How often new tickets get a new key. */
  readonly rotateEvery: Duration;
}

/** How TLS is spoken to an upstream's endpoints. Plain data, files as in `ListenerTlsSettings`. */
export interface UpstreamTlsSettings extends TlsProtocol {
  /** false: any certificate is taken. */
  readonly verify: boolean;
  /** PEM: the authorities that are trusted; null: the system's. */
  readonly ca: string | null;
  /** The name sent as SNI; null: the endpoint's own host. */
  readonly serverName: string | null;
  /** The name that the certificate must bear; null: `serverName`. */
  readonly verifyName: string | null;
  /** Shown to servers that ask. */
  readonly certificate: { readonly cert: string; readonly key: string } | null;
}
