import { SeededRng } from "../../core/random.ts";
import type { CertificateAuthority, IssuedPair } from "../authority.ts";
import { CertificateKeeper } from "../certificate-keeper.ts";
import { ChallengeBoard } from "../challenge-board.ts";
import type { WallClock } from "../renewals.ts";
import type { AttemptRecord, CertificateStore, StoredCertificate } from "../store.ts";

export const DAY = 24 * 60 * 60 * 1_000;

/** A clock that stands still until it is told to go on. */
export class TestClock implements WallClock {
  time = 1_000 * DAY;
  readonly #tasks = new Set<{ readonly at: number; readonly task: () => void }>();

  now(): number {
    return this.time;
  }

  schedule(delay: number, task: () => void): () => void {
    const entry = { at: this.time + delay, task };
    this.#tasks.add(entry);
    return () => this.#tasks.delete(entry);
  }

  get waiting(): number {
    return this.#tasks.size;
  }

  /** Goes on by that much, task by task, and lets promises settle after each. */
  async pass(duration: number): Promise<void> {
    const until = this.time + duration;
    await settled();
    for (;;) {
      const [next] = [...this.#tasks].toSorted((a, b) => a.at - b.at);
      if (next === undefined || next.at > until) break;
      this.#tasks.delete(next);
      this.time = Math.max(this.time, next.at);
      next.task();
      await settled();
    }
    this.time = until;
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** Storage in memory, which outlives the keepers that use it. */
export class TestStore implements CertificateStore {
  readonly certificates = new Map<string, StoredCertificate>();
  readonly attempts = new Map<string, AttemptRecord>();
  /** How long certificates live, in milliseconds. */
  life = 90 * DAY;
  readonly #clock: TestClock;
  #serial = 0;

  constructor(clock: TestClock) {
    this.#clock = clock;
  }

  readCertificate(names: readonly string[]): StoredCertificate | null {
    return this.certificates.get(names.join()) ?? null;
  }

  writeCertificate(names: readonly string[], pair: IssuedPair): StoredCertificate {
    const validFrom = this.#clock.now();
    const serial = `${names.join()} ${++this.#serial}`;
    const stored = { ...pair, validFrom, validTo: validFrom + this.life, serial };
    this.certificates.set(names.join(), stored);
    return stored;
  }

  readAttempts(names: readonly string[]): AttemptRecord | null {
    return this.attempts.get(names.join()) ?? null;
  }

  writeAttempts(names: readonly string[], record: AttemptRecord | null): void {
    if (record === null) this.attempts.delete(names.join());
    else this.attempts.set(names.join(), record);
  }
}

/** Issues what it is asked for, or fails as `failure` says; counts. */
export class TestAuthority implements CertificateAuthority {
  readonly orders: { readonly names: string; readonly at: number }[] = [];
  failure: Error | null = null;
  /** While it is set, orders wait for it. */
  held: Promise<void> | null = null;
  readonly #clock: TestClock;

  constructor(clock: TestClock) {
    this.#clock = clock;
  }

  async issue(names: readonly string[]): Promise<IssuedPair> {
    this.orders.push({ names: names.join(), at: this.#clock.now() });
    if (this.held !== null) await this.held;
    if (this.failure !== null) throw this.failure;
    return { certificate: `certificate of ${names.join()}`, key: "key" };
  }
}

/** A clock, storage and an authority, and keepers that share them. */
export class TestWorld {
  readonly clock = new TestClock();
  readonly store = new TestStore(this.clock);
  readonly authority = new TestAuthority(this.clock);
  readonly board = new ChallengeBoard(async () => {});
  readonly rng = new SeededRng(7);

  keeper(...names: readonly string[]): CertificateKeeper {
    const { store, authority, board, rng } = this;
    return new CertificateKeeper(names, { store, authority, board, rng, renewBefore: null });
  }
}
