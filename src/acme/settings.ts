import type { Duration } from "../core/time.ts";

/** How a listener gets its certificates by itself. Plain data; paths are absolute once in force. */
export interface AcmeSettings {
  /** The URL of the authority's directory (RFC 8555 §7.1.1). */
  readonly directory: string;
  /** Where the authority writes to the operator; null: nowhere. */
  readonly email: string | null;
  /** The names of each certificate. */
  readonly certificates: readonly (readonly string[])[];
  readonly challenge: ChallengeType;
  /** The folder of account keys and certificates. */
  readonly storage: string;
  /** PEM: whom the directory's own certificate must come from; null: the system's authorities. */
  readonly ca: string | null;
  /** How long before its end a certificate is renewed; null: a third of its life. */
  readonly renewBefore: Duration | null;
}

/** How the authority sees that a name is ours: RFC 8555 §8.3, RFC 8737. */
export type ChallengeType = "http-01" | "tls-alpn-01";
