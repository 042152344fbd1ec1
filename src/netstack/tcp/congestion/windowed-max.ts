/**
 * The maximum of a sliding window: the best three samples, each later than the one before it (Kathleen
 * Nichols' filter). Time is any rising count.
 */
export class WindowedMax {
  #a = 0;
  #aAt = 0;
  #b = 0;
  #bAt = 0;
  #c = 0;
  #cAt = 0;
  readonly #window: number;

  constructor(window: number) {
    this.#window = window;
  }

  get value(): number {
    return this.#a;
  }

  add(at: number, sample: number): void {
    if (sample >= this.#a || at - this.#cAt > this.#window) {
      this.reset(at, sample);
      return;
    }
    if (sample >= this.#b) {
      this.#b = this.#c = sample;
      this.#bAt = this.#cAt = at;
    } else if (sample >= this.#c) {
      this.#c = sample;
      this.#cAt = at;
    }
    this.#age(at, sample);
  }

  reset(at: number, sample: number): void {
    this.#a = this.#b = this.#c = sample;
    this.#aAt = this.#bAt = this.#cAt = at;
  }

  #age(at: number, sample: number): void {
    const age = at - this.#aAt;
    if (age > this.#window) {
      // The best has expired: the next ones move up.
      this.#a = this.#b;
      this.#aAt = this.#bAt;
      this.#b = this.#c;
      this.#bAt = this.#cAt;
      this.#c = sample;
      this.#cAt = at;
      if (at - this.#aAt > this.#window) {
        this.#a = this.#b;
        this.#aAt = this.#bAt;
        this.#b = this.#c;
        this.#bAt = this.#cAt;
      }
    } else if (this.#bAt === this.#aAt && age > this.#window / 4) {
      this.#b = this.#c = sample;
      this.#bAt = this.#cAt = at;
    } else if (this.#cAt === this.#bAt && age > this.#window / 2) {
      this.#c = sample;
      this.#cAt = at;
    }
  }
}
