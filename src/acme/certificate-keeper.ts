import type { Rng } from "../core/random.ts";
import { AcmeFailure, type CertificateAuthority } from "./authority.ts";
import type { ChallengeBoard } from "./challenge-board.ts";
import { renewalTime, retryDelay } from "./schedule.ts";
import type { CertificateStore, StoredCertificate } from "./store.ts";

/** What a keeper works with. */
export interface KeeperParts {
  readonly authority: CertificateAuthority;
  readonly store: CertificateStore;
  readonly board: ChallengeBoard;
  readonly rng: Rng;
  /** Milliseconds before a certificate's end; null: a third of its life. */
  readonly renewBefore: number | null;
}

/** What an attempt came to; `next`: when the next one is due, in milliseconds since 1970. */
export type AttemptResult =
  | { readonly kind: "issued"; readonly certificate: StoredCertificate; readonly next: number }
  | { readonly kind: "failed"; readonly failure: AcmeFailure; readonly next: number };

/** Between an order that succeeded and the next: this share of the certificate's life. */
const LEAST_GAP = 1 / 6;

/** One certificate: what we have of it, and when to ask for the next. Times in milliseconds since 1970. */
export class CertificateKeeper {
  readonly names: readonly string[];
  readonly #parts: KeeperParts;
  #certificate: StoredCertificate | null;
  #failures: number;
  #dueAt: number;

  /** Takes up what storage has. Throws AcmeFailure where that cannot be read. */
  constructor(names: readonly string[], parts: KeeperParts) {
    this.names = names;
    this.#parts = parts;
    this.#certificate = parts.store.readCertificate(names);
    const record = parts.store.readAttempts(names);
    this.#failures = record?.failures ?? 0;
    this.#dueAt = Math.max(this.#wantedAt(), record?.notBefore ?? 0);
  }

  /** Null: none yet. It may have expired. */
  get certificate(): StoredCertificate | null {
    return this.#certificate;
  }

  /** When the next attempt is due; 0: at once. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** Failed attempts in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Asks for a new certificate; never rejects. `now` tells the time when it is needed. */
  async renew(now: () => number): Promise<AttemptResult> {
    const { authority, store, board } = this.#parts;
    try {
      this.#begin(now());
      const pair = await authority.issue(this.names, board);
      const certificate = store.writeCertificate(this.names, pair);
      this.#certificate = certificate;
      this.#failures = 0;
      this.#issued(certificate, now());
      return { kind: "issued", certificate, next: this.#dueAt };
    } catch (error) {
      return this.#failed(asFailure(error), now());
    }
  }

  /**
   * Writes down that an order begins: a process that dies in the middle of it again and again does not
   * order again and again, and storage that does not do is found out before anything is ordered.
   */
  #begin(now: number): void {
    const failures = this.#failures + 1;
    const notBefore = now + retryDelay("unreachable", failures, 0, this.#parts.rng);
    const reason = "the process ended before the order did";
    this.#parts.store.writeAttempts(this.names, { failures, notBefore, reason });
  }

  /** By a clock that is wrong a new certificate may be due at once: it is used for a while all the same. */
  #issued({ validFrom, validTo }: StoredCertificate, now: number): void {
    const wanted = this.#wantedAt();
    const notBefore = Math.floor(now + Math.max(validTo - validFrom, 0) * LEAST_GAP);
    this.#dueAt = Math.max(wanted, notBefore);
    const reason = "the certificate that came was due by this clock";
    this.#record(wanted >= notBefore ? null : { failures: 0, notBefore, reason });
  }

  #failed(failure: AcmeFailure, now: number): AttemptResult {
    this.#failures++;
    const { kind, retryAfter, message } = failure;
    this.#dueAt = now + retryDelay(kind, this.#failures, retryAfter, this.#parts.rng);
    this.#record({ failures: this.#failures, notBefore: this.#dueAt, reason: message });
    return { kind: "failed", failure, next: this.#dueAt };
  }

  /** Storage that fails here costs no more than memory of failures across a restart. */
  #record(record: Parameters<CertificateStore["writeAttempts"]>[1]): void {
    try {
      this.#parts.store.writeAttempts(this.names, record);
    } catch (error) {
      if (!(error instanceof AcmeFailure)) throw error;
    }
  }

  #wantedAt(): number {
    const certificate = this.#certificate;
    return certificate === null ? 0 : renewalTime(certificate, this.#parts.renewBefore);
  }
}

const asFailure = (error: unknown): AcmeFailure =>
  error instanceof AcmeFailure
    ? error
    : new AcmeFailure("refused", error instanceof Error ? error.message : String(error), 0, error);
