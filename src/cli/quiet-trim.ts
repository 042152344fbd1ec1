/** How often it looks whether work has paused. */
const lookEveryMs = 2_000;

/**
 * Trims the C heap when a worker falls quiet: at the first look that finds no work since the look
 * before. Under steady traffic it never runs; a worker without traffic runs it once.
 */
export class QuietTrim {
  readonly #work: () => number;
  readonly #trim: () => void;
  #seen = -1;
  #due = true;

  /** `work` grows with whatever the worker does; `trim` gives memory back. */
  constructor(work: () => number, trim: () => void) {
    this.#work = work;
    this.#trim = trim;
  }

  /** Looks from time to time, without keeping the process alive. */
  start(): void {
    setInterval(() => this.look(), lookEveryMs).unref();
  }

  look(): void {
    const work = this.#work();
    if (work !== this.#seen) {
      this.#seen = work;
      this.#due = true;
    } else if (this.#due) {
      this.#due = false;
      this.#trim();
    }
  }
}
