/** Something that is to be done in the next run of the stack, and not within the caller's call. */
export interface Deferred {
  /** On the list already. */
  deferred: boolean;
  runDeferred(): void;
}

/** What was put off, in order; what is put off while it runs waits for the next run. */
export class DeferredList {
  #waiting: Deferred[] = [];
  #running: Deferred[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  add(what: Deferred): void {
    if (what.deferred) return;
    what.deferred = true;
    this.#waiting.push(what);
  }

  run(): void {
    if (this.#waiting.length === 0) return;
    const batch = this.#waiting;
    this.#waiting = this.#running;
    for (let i = 0; i < batch.length; i++) {
      batch[i]!.deferred = false;
      batch[i]!.runDeferred();
    }
    batch.length = 0;
    this.#running = batch;
  }
}
