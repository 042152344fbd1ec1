import type { IssuedPair } from "./authority.ts";

/** A certificate that we have; times in milliseconds since 1970. */
export interface StoredCertificate extends IssuedPair {
  readonly validFrom: number;
  readonly validTo: number;
  /** Tells it from others: spreads renewals over time. */
  readonly serial: string;
}

/** Where trying stands; times in milliseconds since 1970. */
export interface AttemptRecord {
  /** In a row, without a certificate between. */
  readonly failures: number;
  /** No attempt before this time: it holds across restarts. */
  readonly notBefore: number;
  /** Why the last attempt failed. */
  readonly reason: string;
}

/** What survives a restart. Methods throw AcmeFailure ("local") where storage does not do. */
export interface CertificateStore {
  /** Null where there is none, or none that could be used; then it has said so. */
  readCertificate(names: readonly string[]): StoredCertificate | null;
  writeCertificate(names: readonly string[], pair: IssuedPair): StoredCertificate;
  readAttempts(names: readonly string[]): AttemptRecord | null;
  /** Null: the last one succeeded. */
  writeAttempts(names: readonly string[], record: AttemptRecord | null): void;
}
