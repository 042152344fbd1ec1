import type { ChallengeBoard } from "./challenge-board.ts";

/** A certificate with its key, as it was issued; PEM. */
export interface IssuedPair {
  /** The leaf, then its chain. */
  readonly certificate: string;
  readonly key: string;
}

/** An account at an authority, in the one thing that matters here. */
export interface CertificateAuthority {
  /**
   * Orders a certificate for the names and proves on the board that they are ours; what it put there is
   * gone when it settles. Rejects with an AcmeFailure.
   */
  issue(names: readonly string[], board: ChallengeBoard): Promise<IssuedPair>;
}

/**
 * "unreachable": the authority did not answer, which costs nobody anything. "refused": it said no, to a
 * name or to a request. "limited": too many requests, it says until when. "local": our own storage.
 */
export type FailureKind = "unreachable" | "refused" | "limited" | "local";

/** No certificate: why, in words for the log. */
export class AcmeFailure extends Error {
  override readonly name = "AcmeFailure";
  readonly kind: FailureKind;
  /** Milliseconds to wait at least, as the authority says; 0: it does not. */
  readonly retryAfter: number;

  constructor(kind: FailureKind, message: string, retryAfter = 0, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}
