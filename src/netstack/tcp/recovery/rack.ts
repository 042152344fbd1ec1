import type { Instant } from "../../../core/time.ts";
import { type Seq, seqGt, seqLt } from "../../../wire/seq.ts";
import type { Scoreboard } from "./scoreboard.ts";
import type { SentSegment } from "./sent-segment.ts";

/**
 * RACK (RFC 8985 §6): a segment is lost when one sent sufficiently later has arrived. State of the
 * segments in flight; what is learnt about reordering outlives it, see ReorderingWindow.
 */
export class Rack {
  /** Of the most recently sent segment that was delivered: RACK.xmit_ts, RACK.end_seq, RACK.rtt. */
  sentAt: Instant = 0 as Instant;
  /** Its place among the transmissions, which sentAt alone need not tell; 0: nothing was delivered. */
  order = 0;
  end: Seq = 0 as Seq;
  rtt = 0;
  /** Highest number delivered: RACK.fack. */
  fack: Seq = 0 as Seq;

  reset(una: Seq): void {
    this.sentAt = 0 as Instant;
    this.order = 0;
    this.end = una;
    this.rtt = 0;
    this.fack = una;
  }

  /** RFC 8985 §6.2 step 2. `echoedRtt`: by timestamps, -1 where there are none or they tell nothing. */
  onDelivered(
    now: Instant,
    segment: SentSegment,
    end: Seq,
    echoedRtt: number,
    minRtt: number,
  ): void {
    const rtt = now - segment.sentAt;
    if (segment.transmissions > 1) {
      // The ACK may be for an earlier transmission: its echo is older, or it came too soon.
      if (echoedRtt > rtt + ECHO_GRANULARITY || rtt < minRtt) return;
    }
    const newer = segment.order - this.order;
    if (newer < 0) return;
    this.rtt = rtt;
    if (newer === 0 && !seqGt(end, this.end)) return;
    this.sentAt = segment.sentAt;
    this.order = segment.order;
    this.end = end;
  }

  /**
   * RFC 8985 §6.2 step 5: marks what is lost. Returns when to look again at what is only late, in
   * microseconds, or 0: nothing is. Bytes lost are the growth of `board.lostBytes`.
   */
  detect(now: Instant, board: Scoreboard, window: number): number {
    const { order, end } = this;
    let segment = board.oldest;
    while (segment !== null && segment.order <= order) {
      if (segment.order === order && !seqLt(segment.end, end)) break;
      if (segment.sentAt + this.rtt + window > now) return this.sentAt + this.rtt + window;
      const newer = segment.newer;
      board.lose(segment);
      segment = newer;
    }
    return 0;
  }
}

/** Timestamps tick in milliseconds: an echo may look older than it is by so much. */
export const ECHO_GRANULARITY = 1_000;
