import type { Seq } from "../../wire/seq.ts";
import type { SentSegment } from "./recovery/sent-segment.ts";

/** What a segment is, for `committed`: each kind changes other things once it has left. */
export type SegmentKind =
  | "syn"
  | "data"
  | "retransmission"
  | "probe"
  | "window-probe"
  | "ack"
  | "keep-alive"
  | "challenge"
  | "rst";

/**
 * One segment between `pollTransmit`, which composes it, and `committed`, which says that it has left.
 * The layer has one object for all its connections and fills in the first two fields.
 */
export class OutgoingSegment {
  /**
   * Bytes of options and payload that one packet may carry: the MTU less IP and TCP header for plain
   * devices, up to 65,535 less these where the device cuts segments up.
   */
  maxSegment = 536;
  /** The device cuts up what is longer than the segment size (TSO). */
  gso = false;
  kind: SegmentKind = "ack";
  sequence = 0 as Seq;
  /** Of a retransmission: what loss recovery gave. */
  source: SentSegment | null = null;
  /** What it takes of the sequence space: payload, SYN and FIN. */
  length = 0;
  /** Bits of `TcpFlag`. */
  flags = 0;
  /** The right edge of the window that it advertises. */
  edge = 0 as Seq;
  acknowledgment = 0 as Seq;
  /** The ECN codepoint of the IP header (RFC 3168 §5): 0 or 2, ECT(0). */
  ecn: 0 | 2 = 0;
}
