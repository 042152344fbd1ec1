import { unit } from "../../core/random.ts";
import type { Duration, Instant } from "../../core/time.ts";
import { micros } from "../../core/time.ts";
import type { Transport } from "../../core/transport.ts";
import { Deadline, type DeadlineOwner } from "../deadline.ts";
import type { HealthSettings } from "./settings.ts";
import type { Verdict } from "./verdict.ts";

/** A check that is under way. */
export interface RunningCheck {
  cancel(): void;
}

/** Begins a check; the verdict comes later, once, unless it is cancelled. */
export type CheckStarter = (verdict: Verdict) => RunningCheck;

/** Told when an endpoint's health changes; `why`: what was wrong with it. */
export type HealthChange = (up: boolean, why: string | null) => void;

/** Checks one endpoint again and again: one check at a time, and so many in a row for a change. */
export class EndpointHealth implements DeadlineOwner {
  readonly #settings: HealthSettings;
  readonly #transport: Transport;
  readonly #begin: CheckStarter;
  readonly #changed: HealthChange;
  readonly #deadline: Deadline;
  #running: RunningCheck | null = null;
  #up = true;
  /** Verdicts in a row against what is held to be so. */
  #against = 0;
  #stopped = false;

  constructor(
    settings: HealthSettings,
    transport: Transport,
    begin: CheckStarter,
    changed: HealthChange,
  ) {
    this.#settings = settings;
    this.#transport = transport;
    this.#begin = begin;
    this.#changed = changed;
    this.#deadline = new Deadline(this, transport);
  }

  /** The first check is soon: workers and endpoints shall not all ask at once. */
  start(): void {
    this.#deadline.set(this.#transport.now(), this.#spread(0, 0.1));
  }

  stop(): void {
    this.#stopped = true;
    this.#deadline.dispose();
    this.#running?.cancel();
    this.#running = null;
  }

  onDeadline(now: Instant): void {
    if (this.#stopped) return;
    if (this.#running !== null) {
      this.#running.cancel();
      this.#judged("did not answer in time");
      return;
    }
    this.#deadline.set(now, this.#settings.timeout);
    this.#running = this.#begin((failure) => this.#judged(failure));
  }

  #judged(failure: string | null): void {
    if (this.#stopped) return;
    this.#running = null;
    this.#deadline.set(this.#transport.now(), this.#spread(0.9, 1.1));
    const { healthy, unhealthy } = this.#settings;
    const good = failure === null;
    if (good === this.#up) {
      this.#against = 0;
      return;
    }
    this.#against++;
    if (this.#against < (good ? healthy : unhealthy)) return;
    this.#up = good;
    this.#against = 0;
    this.#changed(good, failure);
  }

  /** A part of the interval by chance. */
  #spread(least: number, most: number): Duration {
    const part = least + (most - least) * unit(this.#transport.rng);
    return micros(Math.max(1, this.#settings.interval * part));
  }
}
