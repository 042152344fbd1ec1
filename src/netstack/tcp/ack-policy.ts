import { DEFAULT_MSS_V4 } from "./send-space.ts";

/** Segments at the start of a connection that are acknowledged at once: its sender is in slow start. */
const QUICK_ACKS = 16;
/** Duplicate ACKs that may wait to be sent to a peer without SACK, which counts them. */
const MOST_OWED = 8;

/**
 * When to acknowledge (RFC 9293 §3.8.6.3, RFC 5681 §4.2): every second full segment at least, everything
 * out of order at once, otherwise after a delay in the hope of data to go with it.
 */
export class AckPolicy {
  /** ACKs to be sent now. */
  owed = 0;
  /** The largest segment that arrived: what "full" means. */
  segmentSize = DEFAULT_MSS_V4;
  #quick = QUICK_ACKS;

  /**
   * In-order data came; `pending`: bytes received since the last ACK. Returns whether that ACK may wait.
   * `most`: no segment is longer (what is came merged, and amounts to several).
   */
  onData(length: number, pending: number, most: number): "now" | "delayed" {
    if (length > this.segmentSize) this.segmentSize = Math.min(length, most);
    if (this.#quick === 0 && pending < 2 * this.segmentSize) return "delayed";
    this.owed = 1;
    return "now";
  }

  /** Out of order, duplicate, or a gap was filled (RFC 5681 §4.2): at once, and each one counts. */
  onDisorder(sack: boolean): void {
    this.owed = sack ? 1 : Math.min(this.owed + 1, MOST_OWED);
  }

  /** A segment with the ACK bit left. */
  onSent(alone: boolean): void {
    if (this.owed > 0) this.owed = alone ? this.owed - 1 : 0;
    if (alone && this.#quick > 0) this.#quick--;
  }
}
