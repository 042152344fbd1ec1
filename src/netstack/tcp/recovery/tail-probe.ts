import { type Seq, seqGe, seqGt } from "../../../wire/seq.ts";

/** RFC 8985 §7.2: without an estimate. */
const FIRST_PROBE = 1_000_000;
/** A lone segment's ACK may be delayed: Linux's worst case. */
const ACK_DELAY = 200_000;
/** Of timers here and there. */
const SLACK = 2_000;

/** How long to wait for an ACK before probing, in microseconds. `lone`: one segment is in flight. */
export function probeTimeout(srtt: number, lone: boolean): number {
  if (srtt === 0) return FIRST_PROBE;
  return Math.ceil(2 * srtt) + (lone ? ACK_DELAY : SLACK);
}

/** The tail loss probe that is out (RFC 8985 §7.3, §7.4); lives from a connection's first probe on. */
export class TailProbe {
  /** One is out and not yet judged. */
  active = false;
  /** SND.NXT when it went. */
  end: Seq = 0 as Seq;
  /** It repeated old data. */
  retransmission = false;

  onSent(end: Seq, retransmission: boolean): void {
    this.active = true;
    this.end = end;
    this.retransmission = retransmission;
  }

  /**
   * Judges an ACK (§7.4.2); true: the probe repaired a loss, which calls for a congestion response.
   * `duplicate`: acknowledges nothing new, without data, SACK or window change. `dsackEnd`: where the
   * D-SACK ends, `hasDsack` if there is one.
   */
  onAck(ack: Seq, duplicate: boolean, hasDsack: boolean, dsackEnd: Seq): boolean {
    if (!this.active || !seqGe(ack, this.end)) return false;
    if (!this.retransmission || (hasDsack && dsackEnd === this.end)) {
      this.active = false;
      return false;
    }
    if (seqGt(ack, this.end)) {
      this.active = false;
      return true;
    }
    // Original and probe both arrived.
    if (duplicate) this.active = false;
    return false;
  }
}
