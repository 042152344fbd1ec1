/** Errors kept until the end of a run; later ones of the same run are lost. */
const MOST_KEPT = 64;

/**
 * What code of others threw where the stack called it: handlers of sockets and connections, acceptors,
 * watchers, taps, timers. Told at once where somebody listens, else thrown at the end of a run, so that the
 * stack itself has always done its work.
 */
export class Faults {
  readonly #listener: ((error: unknown) => void) | null;
  #kept: unknown[] = [];

  constructor(listener: ((error: unknown) => void) | null) {
    this.#listener = listener;
  }

  add(error: unknown): void {
    if (this.#listener !== null) this.#listener(error);
    else if (this.#kept.length < MOST_KEPT) this.#kept.push(error);
  }

  /** Throws what was kept, several as one AggregateError. */
  raise(): void {
    if (this.#kept.length === 0) return;
    const errors = this.#kept;
    this.#kept = [];
    throw errors.length === 1 ? errors[0] : new AggregateError(errors, "handlers failed");
  }
}
