import { SessionState } from "./session.ts";

/**
 * How an exchange waits for hooks that answer with a promise, and what becomes of what they throw. It may
 * end or fail in the meantime; its memory serves another request only when no wait is open.
 */
export abstract class HookWaits extends SessionState {
  /** The hook that ran last, for the message when it throws. */
  phase = "";
  /** Promises of hooks that are still open. */
  private open = 0;
  /** Counts failures: what was waited for before one is of no use after it. */
  private failures = 0;

  /** A hook threw, or its promise was rejected: this request fails, and no other. */
  abstract hookFailed(hook: string, cause: unknown): void;
  /** Sends what a hook answered. */
  abstract answer(): void;
  protected abstract giveBack(): void;

  /** Goes on with `next` unless a hook has answered. */
  unlessAnswered(next: () => void): void {
    if (this.over) return;
    if (this.local.given) this.answer();
    else next.call(this);
  }

  /** What is waited for is of no use any more. */
  protected dropWaits(): void {
    this.failures++;
  }

  /** It is over: given back now, or when the last wait has ended. */
  protected giveBackUnwaited(): void {
    if (this.open === 0) this.giveBack();
  }

  /** Runs a step outside of any hook's caller: what it throws fails this exchange. */
  guard(hook: string, step: () => void): void {
    this.phase = hook;
    try {
      step();
    } catch (error) {
      this.hookFailed(this.phase, error);
    }
  }

  /** Runs `next` with what `promise` gives, unless the exchange ended or failed in the meantime. */
  await<T>(hook: string, promise: Promise<T>, next: (value: T) => void): void {
    const { failures } = this;
    this.open++;
    promise.then(
      (value) => {
        // What follows may be another hook, and that one fail.
        if (this.resumed(failures)) this.guard(hook, () => next(value));
      },
      (error) => {
        if (this.resumed(failures)) this.hookFailed(hook, error);
      },
    );
  }

  /** One wait is over; true when the exchange still lives, and has not failed since. */
  private resumed(failures: number): boolean {
    this.open--;
    if (!this.over) return failures === this.failures;
    if (this.open === 0) this.giveBack();
    return false;
  }
}
