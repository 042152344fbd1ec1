import type { Instant } from "../../../core/time.ts";
import type { Seq } from "../../../wire/seq.ts";
import { Prr } from "./prr.ts";
import { ECHO_GRANULARITY } from "./rack.ts";

/** `cwr`: the window comes down after ECN · `recovery`: fast recovery · `loss`: after a timeout. */
export type RepairState = "open" | "cwr" | "recovery" | "loss";

/**
 * F-RTO (RFC 5682): what has to come before more than one segment is sent again. `new-data`: after the first
 * ACK, new data are to go; `second-ack`: they are on their way.
 */
export type FrtoPhase = "off" | "first-ack" | "new-data" | "second-ack";

/**
 * The last congestion event of a connection: how far it goes, PRR, and evidence that it was spurious
 * (Eifel, RFC 3522; D-SACK, RFC 2883; F-RTO). Lives from a connection's first such event on.
 */
export class Repair {
  state: RepairState = "open";
  /** SND.NXT as it began. */
  recoveryPoint: Seq = 0 as Seq;
  frto: FrtoPhase = "off";
  readonly prr = new Prr();
  /** No evidence has been weighed yet that this event's window reduction should be taken back. */
  undoable = false;
  /** RFC 6675 §5 rule 4: the one rescue retransmission of a recovery was made. */
  rescued = false;
  /** Of the first retransmission; -1: none yet, or Eifel has judged. */
  #resentAt: Instant = -1 as Instant;
  /** Retransmitted and not yet known to be duplicates. */
  #resentBytes = 0;
  #anyResent = false;

  begin(state: RepairState, recoveryPoint: Seq, frto: FrtoPhase): void {
    this.state = state;
    this.recoveryPoint = recoveryPoint;
    this.frto = frto;
    this.undoable = true;
    this.rescued = false;
    this.#resentAt = -1 as Instant;
    this.#resentBytes = 0;
    this.#anyResent = false;
  }

  /** The window comes down by PRR. */
  get reducing(): boolean {
    return this.state === "recovery" || this.state === "cwr";
  }

  end(): void {
    this.state = "open";
    this.frto = "off";
  }

  onRetransmitted(now: Instant, bytes: number): void {
    if (!this.#anyResent) {
      this.#anyResent = true;
      this.#resentAt = now;
    }
    this.#resentBytes += bytes;
  }

  /** The first ACK that advances: does it echo a time before the first retransmission? RFC 3522 §3.2. */
  eifel(now: Instant, echoedRtt: number): boolean {
    if (this.#resentAt < 0) return false;
    const sinceResent = now - this.#resentAt;
    this.#resentAt = -1 as Instant;
    return this.undoable && echoedRtt > sinceResent + ECHO_GRANULARITY;
  }

  /** So many bytes arrived twice. True: all that was retransmitted did. */
  duplicated(bytes: number): boolean {
    if (!this.undoable || !this.#anyResent) return false;
    this.#resentBytes -= bytes;
    return this.#resentBytes <= 0;
  }
}
