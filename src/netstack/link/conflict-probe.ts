import { below } from "../../core/random.ts";
import { after, type Duration, type Instant, seconds } from "../../core/time.ts";
import type { Timer, TimerTarget } from "../../core/transport.ts";
import type { Mac } from "../../wire/mac.ts";
import type { StackContext } from "../context.ts";
import type { Ip } from "../ip-address.ts";
import type { ArpOutput } from "./arp-output.ts";

/** RFC 5227 §1.1. */
const PROBE_WAIT = seconds(1);
const PROBE_NUM = 3;
const PROBE_MIN = seconds(1);
const PROBE_MAX = seconds(2);
const ANNOUNCE_WAIT = seconds(2);

/** One run of probes for an address (RFC 5227 §2.1.1). It ends with a call of `done`, or by `cancel`. */
export class ConflictProbe implements TimerTarget {
  readonly ip: Ip;
  readonly #context: StackContext;
  readonly #output: ArpOutput;
  readonly #done: (probe: ConflictProbe, conflict: Mac | null) => void;
  readonly #timer: Timer;
  #sent = 0;

  constructor(
    context: StackContext,
    output: ArpOutput,
    ip: Ip,
    done: (probe: ConflictProbe, conflict: Mac | null) => void,
  ) {
    this.#context = context;
    this.#output = output;
    this.ip = ip;
    this.#done = done;
    this.#timer = context.schedule(this, this.#within(0 as Duration, PROBE_WAIT));
  }

  /** From the beginning: the link was away, and other hosts may be on it now. */
  restart(): void {
    this.#sent = 0;
    this.#timer.reschedule(this.#within(0 as Duration, PROBE_WAIT));
  }

  /** Waits for `restart`. */
  suspend(): void {
    this.#timer.cancel();
  }

  onTimer(now: Instant): void {
    if (this.#sent === PROBE_NUM) {
      this.#done(this, null);
      return;
    }
    this.#sent++;
    this.#output.probe(this.ip.w3);
    if (this.#sent < PROBE_NUM) this.#timer.reschedule(this.#within(PROBE_MIN, PROBE_MAX));
    else this.#timer.reschedule(after(now, ANNOUNCE_WAIT));
  }

  conflict(mac: Mac): void {
    this.#timer.cancel();
    this.#done(this, mac);
  }

  cancel(): void {
    this.#timer.cancel();
  }

  /** A random instant, so that hosts powered up together do not probe together. */
  #within(least: Duration, most: Duration): Instant {
    const { rng } = this.#context;
    return after(this.#context.now(), (least + below(rng, most - least + 1)) as Duration);
  }
}
