import type { Instant } from "../../core/time.ts";
import { TimerWheel } from "../../core/timer-wheel.ts";
import type { Timer, Timers, TimerTarget } from "../../core/transport.ts";

/** A libuv timer past this many milliseconds overflows; we look again then. */
const LONGEST_MS = 0x7fff_ffff;

/** The timer wheel, woken by one timer of the loop for its next deadline. */
export class DeadlineTimer implements Timers {
  readonly #now: () => Instant;
  readonly #onFault: (error: unknown) => void;
  readonly #wheel: TimerWheel;
  readonly #fire = (): void => this.#onTimeout();
  #timeout: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(now: () => Instant, onFault: (error: unknown) => void) {
    this.#now = now;
    this.#onFault = onFault;
    this.#wheel = new TimerWheel(now(), (at) => this.#arm(at));
  }

  schedule(target: TimerTarget, at: Instant): Timer {
    return this.#wheel.schedule(target, at);
  }

  close(): void {
    this.#closed = true;
    this.#wheel.clear();
    this.#disarm();
  }

  #arm(at: Instant): void {
    this.#disarm();
    if (this.#closed) return;
    const ms = Math.ceil((at - this.#now()) / 1_000);
    this.#timeout = setTimeout(this.#fire, Math.min(Math.max(ms, 1), LONGEST_MS));
  }

  #disarm(): void {
    if (this.#timeout === null) return;
    clearTimeout(this.#timeout);
    this.#timeout = null;
  }

  #onTimeout(): void {
    this.#timeout = null;
    try {
      this.#wheel.advance(this.#now());
    } catch (error) {
      this.#onFault(error);
    }
    const next = this.#wheel.nextDeadline();
    if (next !== undefined) this.#arm(next);
  }
}
