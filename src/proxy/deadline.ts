import type { Duration, Instant } from "../core/time.ts";
import type { Timer, Timers, TimerTarget } from "../core/transport.ts";

export interface DeadlineOwner {
  onDeadline(now: Instant): void;
}

/**
 * One deadline of a connection, moved on every request. Moving it later costs a field write: the timer
 * is left where it is, looks again when it fires, and goes to sleep until the deadline that holds then.
 */
export class Deadline implements TimerTarget {
  private readonly owner: DeadlineOwner;
  private readonly timers: Timers;
  private timer: Timer | null = null;
  private at = 0;
  private armedFor = 0;

  constructor(owner: DeadlineOwner, timers: Timers) {
    this.owner = owner;
    this.timers = timers;
  }

  /** Calls the owner once at `now + delay` unless moved or cleared before. */
  set(now: Instant, delay: Duration): void {
    this.at = now + delay;
    if (this.timer === null) {
      this.timer = this.timers.schedule(this, this.at as Instant);
      this.armedFor = this.at;
    } else if (!this.timer.active || this.armedFor > this.at) {
      this.timer.reschedule(this.at as Instant);
      this.armedFor = this.at;
    }
  }

  get pending(): boolean {
    return this.at !== 0;
  }

  /** No call; the timer, where one is armed, will fire idly once. */
  clear(): void {
    this.at = 0;
  }

  /** Releases the timer: the owner is gone. */
  dispose(): void {
    this.at = 0;
    this.timer?.cancel();
  }

  onTimer(now: Instant): void {
    if (this.at === 0) return;
    if (now < this.at) {
      this.armedFor = this.at;
      this.timer?.reschedule(this.at as Instant);
      return;
    }
    this.at = 0;
    this.owner.onDeadline(now);
  }
}
