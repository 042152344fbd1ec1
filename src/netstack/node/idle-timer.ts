import { after, elapsed, type Instant, millis } from "../../core/time.ts";
import type { Timer, TimerTarget } from "../../core/transport.ts";
import type { StackContext } from "../context.ts";

/** A socket's timeout: fires once when nothing has touched it for so long, and again after the next touch. */
export class IdleTimer implements TimerTarget {
  readonly #context: StackContext;
  readonly #onIdle: () => void;
  #limit = millis(0);
  #touched: Instant;
  #timer: Timer | null = null;
  #fired = false;

  constructor(context: StackContext, onIdle: () => void) {
    this.#context = context;
    this.#onIdle = onIdle;
    this.#touched = context.now();
  }

  /** In milliseconds; 0 ends it. */
  set(limit: number): void {
    this.#limit = millis(limit);
    this.#fired = false;
    this.#touched = this.#context.now();
    if (limit === 0) this.#timer?.cancel();
    else this.#arm();
  }

  touch(): void {
    if (this.#limit === 0) return;
    this.#touched = this.#context.now();
    if (!this.#fired) return;
    this.#fired = false;
    this.#arm();
  }

  onTimer(now: Instant): void {
    if (this.#limit === 0) return;
    if (elapsed(this.#touched, now) < this.#limit) {
      this.#arm();
      return;
    }
    this.#fired = true;
    this.#onIdle();
  }

  #arm(): void {
    const at = after(this.#touched, this.#limit);
    if (this.#timer === null) this.#timer = this.#context.schedule(this, at);
    else this.#timer.reschedule(at);
  }
}
