import { SeededRng } from "../../../core/random.ts";
import { type Duration, type Instant, instant } from "../../../core/time.ts";
import { TimerWheel } from "../../../core/timer-wheel.ts";
import type { Timer, TimerTarget } from "../../../core/transport.ts";
import type { StackContext } from "../../context.ts";
import type { StackEvent } from "../../events.ts";
import { DEFAULT_LIMITS, type StackLimits } from "../../limits.ts";
import { drawSipKey, type SipKey } from "../../siphash.ts";

/** What a part of a stack needs of it, in virtual time. */
export class VirtualContext implements StackContext {
  readonly rng: SeededRng;
  readonly secret: SipKey;
  readonly addressSecret: SipKey;
  readonly limits: StackLimits;
  readonly events: StackEvent[] = [];
  wakes = 0;
  #now = instant(1_000_000);
  readonly #wheel = new TimerWheel(this.#now);

  constructor(limits: Partial<StackLimits> = {}, seed = 1) {
    this.rng = new SeededRng(seed);
    this.secret = drawSipKey(this.rng);
    this.addressSecret = this.secret;
    this.limits = { ...DEFAULT_LIMITS, ...limits };
  }

  now(): Instant {
    return this.#now;
  }

  schedule(target: TimerTarget, at: Instant): Timer {
    return this.#wheel.schedule(target, at);
  }

  /** Timers that wait. */
  get timers(): number {
    return this.#wheel.size;
  }

  pass(time: Duration): void {
    this.#now = (this.#now + time) as Instant;
    this.#wheel.advance(this.#now);
  }

  emit(event: StackEvent): void {
    this.events.push(event);
  }

  fault(error: unknown): void {
    throw error;
  }

  wake(): void {
    this.wakes++;
  }
}
