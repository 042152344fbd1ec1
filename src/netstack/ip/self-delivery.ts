import type { Instant } from "../../core/time.ts";
import type { Timer, TimerTarget } from "../../core/transport.ts";
import type { StackContext } from "../context.ts";
import type { Interface } from "../interface.ts";
import type { Packet } from "../packet.ts";

interface Copy {
  readonly on: Interface;
  readonly packet: Packet;
}

/**
 * What this host sends to a group that it is a member of (RFC 1112 §6.1), or to all, on its way back in.
 * Handed up from a timer: no layer is entered from within itself. Holds at most `limits.loopbackQueue`
 * packets; new ones are dropped beyond.
 */
export class SelfDelivery implements TimerTarget {
  readonly #context: StackContext;
  readonly #receive: (on: Interface, packet: Packet) => void;
  #copies: Copy[] = [];
  #timer: Timer | null = null;

  constructor(context: StackContext, receive: (on: Interface, packet: Packet) => void) {
    this.#context = context;
    this.#receive = receive;
  }

  /** packet[start, end) is an IP packet. */
  take(on: Interface, packet: Packet): void {
    if (this.#copies.length >= this.#context.limits.loopbackQueue) return;
    this.#copies.push({ on, packet: packet.clone() });
    if (this.#timer?.active) return;
    const now = this.#context.now();
    if (this.#timer === null) this.#timer = this.#context.schedule(this, now);
    else this.#timer.reschedule(now);
  }

  onTimer(_now: Instant): void {
    const copies = this.#copies;
    this.#copies = [];
    for (const { on, packet } of copies) if (on.up) this.#receive(on, packet);
  }
}
