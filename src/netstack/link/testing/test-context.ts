import { SeededRng } from "../../../core/random.ts";
import { type Instant, instant, millis } from "../../../core/time.ts";
import { TimerWheel } from "../../../core/timer-wheel.ts";
import type { Timer, TimerTarget } from "../../../core/transport.ts";
import type { StackContext } from "../../context.ts";
import type { StackEvent } from "../../events.ts";
import { DEFAULT_LIMITS, type StackLimits } from "../../limits.ts";
import { drawSipKey, type SipKey } from "../../siphash.ts";

/** Virtual time for link layers under test; events are kept. */
export class TestContext implements StackContext {
  readonly rng: SeededRng;
  readonly secret: SipKey;
  readonly addressSecret: SipKey;
  readonly limits: StackLimits;
  readonly events: StackEvent[] = [];
  readonly #wheel: TimerWheel;
  #now = instant(1_000_000);

  constructor(limits: Partial<StackLimits> = {}, seed = 1) {
    this.rng = new SeededRng(seed);
    this.secret = drawSipKey(this.rng);
    this.addressSecret = this.secret;
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.#wheel = new TimerWheel(this.#now);
  }

  now(): Instant {
    return this.#now;
  }

  schedule(target: TimerTarget, at: Instant): Timer {
    return this.#wheel.schedule(target, at);
  }

  emit(event: StackEvent): void {
    this.events.push(event);
  }

  fault(error: unknown): void {
    throw error;
  }

  wake(): void {}

  /** Timers that wait. */
  get timers(): number {
    return this.#wheel.size;
  }

  /** Lets time pass, from deadline to deadline; `settle` is called after each. */
  pass(milliseconds: number, settle: () => void = () => {}): void {
    const until = (this.#now + millis(milliseconds)) as Instant;
    for (;;) {
      const next = this.#wheel.nextDeadline();
      if (next === undefined || next > until) break;
      this.#now = next > this.#now ? next : this.#now;
      this.#wheel.advance(this.#now);
      settle();
    }
    this.#now = until;
    this.#wheel.advance(until);
    settle();
  }

  /** The kinds of what happened since the last call, with what tells events apart. */
  drain(): string[] {
    return this.events.splice(0).map((event) => {
      switch (event.kind) {
        case "neighbor-changed":
          return `${event.address} ${event.state}`;
        case "neighbor-removed":
          return `${event.address} removed`;
        case "address-conflict":
          return `${event.address} conflict`;
        default:
          return event.kind;
      }
    });
  }
}
