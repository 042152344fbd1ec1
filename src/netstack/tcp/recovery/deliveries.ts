import type { Instant } from "../../../core/time.ts";
import { type Seq, seqGt, seqLe, seqLt } from "../../../wire/seq.ts";
import type { DeliveryRate } from "./delivery-rate.ts";
import type { Rack } from "./rack.ts";
import type { SentSegment } from "./sent-segment.ts";

/** What one ACK delivered: cumulatively or by SACK, each byte once. Filled anew for each. */
export class Deliveries {
  now: Instant = 0 as Instant;
  /** From the timestamps option, or -1. */
  echoedRtt = -1;
  minRtt = 0;
  bytes = 0;
  /** Of those, never sent twice and below `recoveryPoint`, where one is set. */
  originals = 0;
  /** Of the longest-waiting one acknowledged cumulatively, as RFC 6298 wants it; -1: none. */
  rtt = -1;
  /** Likewise by SACK. */
  sackRtt = -1;
  /** The least of this ACK, free of the peer's delay of its ACK; -1: none. */
  leastRtt = -1;
  /** Something cumulatively acknowledged had been sent twice. */
  ambiguous = false;
  /** Something never sent twice arrived after what was sent after it (RFC 8985 §6.2 step 3). */
  reordered = false;
  hasRecoveryPoint = false;
  recoveryPoint: Seq = 0 as Seq;
  #rack: Rack | null = null;
  #rate: DeliveryRate | null = null;

  begin(
    now: Instant,
    echoedRtt: number,
    minRtt: number,
    rack: Rack,
    rate: DeliveryRate | null,
  ): void {
    this.now = now;
    this.echoedRtt = echoedRtt;
    this.minRtt = minRtt;
    this.bytes = 0;
    this.originals = 0;
    this.rtt = -1;
    this.sackRtt = -1;
    this.leastRtt = -1;
    this.ambiguous = false;
    this.reordered = false;
    this.hasRecoveryPoint = false;
    this.#rack = rack;
    this.#rate = rate;
  }

  /** Count as `originals` what lies below `recoveryPoint`. */
  watch(recoveryPoint: Seq): void {
    this.hasRecoveryPoint = true;
    this.recoveryPoint = recoveryPoint;
  }

  /** The peer has `bytes` of the record, the last of them before `end`. */
  add(segment: SentSegment, bytes: number, end: Seq, cumulative: boolean): void {
    const rack = this.#rack!;
    this.bytes += bytes;
    if (segment.transmissions === 1) {
      const rtt = this.now - segment.sentAt;
      if (!cumulative) {
        if (this.sackRtt < 0) this.sackRtt = rtt;
      } else if (this.rtt < 0) this.rtt = rtt;
      if (this.leastRtt < 0 || rtt < this.leastRtt) this.leastRtt = rtt;
      if (this.hasRecoveryPoint && seqLe(end, this.recoveryPoint)) this.originals += bytes;
      if (seqLt(end, rack.fack)) this.reordered = true;
    } else if (cumulative) this.ambiguous = true;
    if (seqGt(end, rack.fack)) rack.fack = end;
    // RFC 7323 §4.3: what arrives out of order is not echoed.
    rack.onDelivered(this.now, segment, end, cumulative ? this.echoedRtt : -1, this.minRtt);
    if (this.#rate !== null) this.#rate.onDelivered(this.now, segment, bytes);
  }
}
