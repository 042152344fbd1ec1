import type { Instant } from "../core/time.ts";
import { TimerWheel } from "../core/timer-wheel.ts";
import type { Timer, Timers, TimerTarget } from "../core/transport.ts";

/** Milliseconds that setTimeout can wait at most; past it the wheel is looked at for nothing. */
const LONGEST = 2 ** 31 - 1;

/** A timer wheel that one timeout of the event loop drives. */
export class LoopTimer implements Timers {
  readonly #now: () => Instant;
  readonly #onFault: (error: unknown) => void;
  readonly #wheel: TimerWheel;
  readonly #fire = (): void => this.#advance();
  #timeout: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(now: () => Instant, onFault: (error: unknown) => void) {
    this.#now = now;
    this.#onFault = onFault;
    this.#wheel = new TimerWheel(now(), (at) => this.#arm(at));
  }

  /** After `close`, the timer is dead. */
  schedule(target: TimerTarget, at: Instant): Timer {
    const timer = this.#wheel.schedule(target, at);
    if (this.#closed) timer.cancel();
    return timer;
  }

  close(): void {
    this.#closed = true;
    this.#wheel.clear();
    this.#disarm();
  }

  #advance(): void {
    this.#timeout = null;
    try {
      this.#wheel.advance(this.#now());
    } catch (error) {
      this.#onFault(error);
    }
    const next = this.#wheel.nextDeadline();
    if (next !== undefined && !this.#closed) this.#arm(next);
  }

  #arm(at: Instant): void {
    this.#disarm();
    if (this.#closed) return;
    const wait = Math.ceil((at - this.#now()) / 1_000);
    this.#timeout = setTimeout(this.#fire, Math.min(Math.max(wait, 0), LONGEST));
  }

  #disarm(): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    this.#timeout = null;
  }
}
