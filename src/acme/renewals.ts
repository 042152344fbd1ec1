import type { AttemptResult, CertificateKeeper } from "./certificate-keeper.ts";

/** Time as the renewals need it. */
export interface WallClock {
  /** Milliseconds since 1970; it may jump. */
  now(): number;
  /** Runs `task` once, some milliseconds from now; the result calls it off. */
  schedule(delay: number, task: () => void): () => void;
}

/** Orders under way at once; the others wait for their turn. */
const AT_ONCE = 4;
/** The clock is looked at this often, whatever is due: it may jump, and timers take no month. */
const LONGEST_SLEEP = 60 * 60 * 1_000;
const SHORTEST_SLEEP = 100;

/** Renews each certificate when it is due, a few at a time, until it is stopped. */
export class Renewals {
  readonly #keepers: readonly CertificateKeeper[];
  readonly #clock: WallClock;
  readonly #tell: (keeper: CertificateKeeper, result: AttemptResult) => void;
  readonly #running = new Set<CertificateKeeper>();
  #cancel: (() => void) | null = null;
  #stopped = true;

  constructor(
    keepers: readonly CertificateKeeper[],
    clock: WallClock,
    tell: (keeper: CertificateKeeper, result: AttemptResult) => void,
  ) {
    this.#keepers = keepers;
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Orders under way. */
  get running(): number {
    return this.#running.size;
  }

  start(): void {
    this.#stopped = false;
    this.#look();
  }

  /** Begins nothing more, and tells nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  #look(): void {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#stopped) return;
    const now = this.#clock.now();
    const idle = this.#keepers
      .filter((keeper) => !this.#running.has(keeper))
      .toSorted((a, b) => a.dueAt - b.dueAt);
    let wake = now + LONGEST_SLEEP;
    for (const keeper of idle) {
      if (keeper.dueAt > now) wake = Math.min(wake, keeper.dueAt);
      else if (this.#running.size < AT_ONCE) void this.#renew(keeper);
    }
    this.#cancel = this.#clock.schedule(Math.max(wake - now, SHORTEST_SLEEP), () => this.#look());
  }

  async #renew(keeper: CertificateKeeper): Promise<void> {
    this.#running.add(keeper);
    const result = await keeper.renew(() => this.#clock.now());
    this.#running.delete(keeper);
    if (this.#stopped) return;
    this.#tell(keeper, result);
    this.#look();
  }
}
