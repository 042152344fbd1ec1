import type { Instant } from "../../core/time.ts";
import { Flag } from "./frame-type.ts";
import type { Output } from "./output.ts";

/** What a PING of ours is for; it says so in its payload, which the answer repeats. */
const Purpose = { keepAlive: 0x6d696c6c, drain: 0x6472_6e21 } as const;

export type Answer = "keep-alive" | "drain" | "unasked";

/**
 * PINGs of ours and the answers that are due (RFC 9113 §6.7): at most one of each purpose at a
 * time.
 */
export class Liveness {
  /** From the last PING to its answer, in microseconds; -1 before the first. */
  roundTrip: number;
  readonly #output: Output;
  readonly #timeout: number;
  #sentAt: number;
  #drainSentAt: number;
  #count: number;

  constructor(output: Output, timeout: number) {
    this.roundTrip = -1;
    this.#output = output;
    this.#timeout = timeout;
    this.#sentAt = -1;
    this.#drainSentAt = -1;
    this.#count = 0;
  }

  /** Nothing while an answer is due. */
  ping(now: Instant): void {
    if (this.#sentAt >= 0) return;
    this.#sentAt = now;
    this.#output.ping(0, Purpose.keepAlive, ++this.#count);
  }

  pingForDrain(now: Instant): void {
    this.#drainSentAt = now;
    this.#output.ping(0, Purpose.drain, 0);
  }

  answer(high: number, low: number): void {
    this.#output.ping(Flag.ack, high, low);
  }

  answered(high: number, low: number, now: Instant): Answer {
    if (high === Purpose.drain && this.#drainSentAt >= 0) {
      this.#drainSentAt = -1;
      return "drain";
    }
    if (high !== Purpose.keepAlive || low !== this.#count || this.#sentAt < 0) return "unasked";
    this.roundTrip = now - this.#sentAt;
    this.#sentAt = -1;
    return "keep-alive";
  }

  /** When the peer counts as gone. */
  get deadline(): number {
    return this.#sentAt < 0 ? Number.POSITIVE_INFINITY : this.#sentAt + this.#timeout;
  }

  /** When draining goes on without an answer. */
  get drainDeadline(): number {
    return this.#drainSentAt < 0 ? Number.POSITIVE_INFINITY : this.#drainSentAt + DRAIN_WAIT;
  }
}

/** A second: several round trips on any path that is of use. */
const DRAIN_WAIT = 1_000_000;
