import { below } from "../../core/random.ts";
import { after, type Duration, type Instant, seconds } from "../../core/time.ts";
import type { Timer, TimerTarget } from "../../core/transport.ts";
import type { Mac } from "../../wire/mac.ts";
import type { InterfaceAddress } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import type { NdpOutput } from "./ndp-output.ts";

/** RFC 4861 §10: MAX_RTR_SOLICITATION_DELAY. */
const MAX_DELAY = seconds(1);
/** RFC 7527 §4.1: how often a probe that came back is repeated at once, and the pace after that. */
const MAX_LOOPED = 3;
const LOOPED_PACE = seconds(60);

/** What a trial is told by. */
export interface TrialOwner {
  readonly retransTimer: Duration;
  /** Null: nobody else has the address. */
  concluded(trial: DuplicateTrial, duplicate: Mac | null): void;
}

/** Duplicate address detection for one tentative address (RFC 4862 §5.4). */
export class DuplicateTrial implements TimerTarget {
  readonly address: InterfaceAddress;
  readonly #output: NdpOutput;
  readonly #owner: TrialOwner;
  readonly #timer: Timer;
  /** Tells our own probes from those of others (RFC 7527 §4.1). */
  readonly #nonce = new Uint8Array(6);
  #left: number;
  /** A probe of ours has come back since the last was sent. */
  #looped = false;
  #loops = 0;

  constructor(
    context: StackContext,
    output: NdpOutput,
    owner: TrialOwner,
    address: InterfaceAddress,
    transmits: number,
  ) {
    this.#output = output;
    this.#owner = owner;
    this.address = address;
    this.#left = transmits;
    for (let i = 0; i < this.#nonce.length; i++) this.#nonce[i] = below(context.rng, 256);
    // RFC 4862 §5.4.2: nodes that start together, or hear one advertisement, shall not ask together.
    const delay = below(context.rng, MAX_DELAY + 1) as Duration;
    this.#timer = context.schedule(this, after(context.now(), delay));
  }

  onTimer(now: Instant): void {
    if (this.#looped) {
      this.#looped = false;
      this.#loops++;
      this.#left = Math.max(this.#left, 1);
    }
    if (this.#left === 0) {
      this.#owner.concluded(this, null);
      return;
    }
    this.#left--;
    this.#output.detect(this.address.ip, this.#nonce);
    const pace = this.#loops > MAX_LOOPED ? LOOPED_PACE : this.#owner.retransTimer;
    this.#timer.reschedule(after(now, pace));
  }

  /** Somebody probes for the same address. The nonce is at dv[at, at + 6), or nowhere: −1. */
  heardProbe(dv: DataView, at: number): void {
    if (at >= 0 && this.#isOurs(dv, at)) this.#looped = true;
    else this.#fail(0);
  }

  /** Somebody has it; `mac` is 0 when he did not say. */
  heardOwner(mac: Mac): void {
    this.#fail(mac);
  }

  cancel(): void {
    this.#timer.cancel();
  }

  #fail(mac: Mac): void {
    this.#timer.cancel();
    this.#owner.concluded(this, mac);
  }

  #isOurs(dv: DataView, at: number): boolean {
    for (let i = 0; i < this.#nonce.length; i++) {
      if (dv.getUint8(at + i) !== this.#nonce[i]) return false;
    }
    return true;
  }
}
