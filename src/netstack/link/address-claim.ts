import { after, type Instant, seconds } from "../../core/time.ts";
import type { Timer, TimerTarget } from "../../core/transport.ts";
import type { InterfaceAddress } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import type { ArpOutput } from "./arp-output.ts";

/** RFC 5227 §1.1. */
const ANNOUNCE_NUM = 2;
const ANNOUNCE_INTERVAL = seconds(2);
const DEFEND_INTERVAL = seconds(10);

/** An IPv4 address in use: announced when it begins (RFC 5227 §2.3), defended while it lasts (§2.4). */
export class AddressClaim implements TimerTarget {
  readonly address: InterfaceAddress;
  readonly #context: StackContext;
  readonly #output: ArpOutput;
  #left = 0;
  #timer: Timer | null = null;
  #conflictAt: Instant | null = null;

  constructor(context: StackContext, output: ArpOutput, address: InterfaceAddress) {
    this.#context = context;
    this.#output = output;
    this.address = address;
  }

  announce(): void {
    this.#left = ANNOUNCE_NUM;
    this.#say(this.#context.now());
  }

  /**
   * Another station uses the address: `defended` when it has been told for the first time in a while,
   * `lost` when that did not help it. §2.4 (b) then gives the address up, (c) is silent until the
   * interval is over, lest two stations that both insist fill the link.
   */
  conflict(insist: boolean): "defended" | "lost" | "silent" {
    const now = this.#context.now();
    if (this.#conflictAt !== null && now - this.#conflictAt < DEFEND_INTERVAL) {
      return insist ? "silent" : "lost";
    }
    this.#conflictAt = now;
    this.#output.announce(this.address.ip.w3);
    return "defended";
  }

  end(): void {
    this.#timer?.cancel();
  }

  onTimer(now: Instant): void {
    this.#say(now);
  }

  #say(now: Instant): void {
    this.#output.announce(this.address.ip.w3);
    if (--this.#left <= 0) return;
    const next = after(now, ANNOUNCE_INTERVAL);
    if (this.#timer === null) this.#timer = this.#context.schedule(this, next);
    else this.#timer.reschedule(next);
  }
}
