import type { Instant } from "../../../core/time.ts";
import { type Seq, seq } from "../../../wire/seq.ts";

/**
 * One packet that was handed to the device, of up to 64 KiB, until all of it is acknowledged. It is
 * split where a SACK block or a retransmission ends inside it, always a multiple of the segment size
 * after its start. Pooled: only to be looked at until the next call of the LossRecovery it came from.
 */
export class SentSegment {
  /** [start, end) of the sequence numbers, SYN and FIN counted. */
  start: Seq = seq(0);
  end: Seq = seq(0);
  /** Of the last transmission. */
  sentAt: Instant = 0 as Instant;
  /** Rises with each transmission of the connection, as clocks may stand still between two. */
  order = 0;
  /** 1 after the first, never 0. */
  transmissions = 1;
  /** A SACK block covers it. */
  sacked = false;
  /** Deemed lost and not sent again since. */
  lost = false;
  /** Delivery rate (draft-ietf-ccwg-bbr §4.1.2.2), as of the last transmission. */
  delivered = 0;
  deliveredAt: Instant = 0 as Instant;
  firstSentAt: Instant = 0 as Instant;
  appLimited = false;
  /** Neighbours by sequence number. */
  next: SentSegment | null = null;
  previous: SentSegment | null = null;
  /** Neighbours by order of the last transmission, among those in flight: neither SACKed nor lost. */
  newer: SentSegment | null = null;
  older: SentSegment | null = null;

  get retransmitted(): boolean {
    return this.transmissions > 1;
  }

  get length(): number {
    return (this.end - this.start) | 0;
  }
}

/** Spare records of all connections; beyond this many they are left to the garbage collector. */
const SPARES = 4096;
let spare: SentSegment | null = null;
let spares = 0;

/** A record whose links and flags are as new. */
export function takeSegment(): SentSegment {
  const segment = spare;
  if (segment === null) return new SentSegment();
  spare = segment.next;
  spares--;
  segment.next = null;
  return segment;
}

export function giveSegment(segment: SentSegment): void {
  segment.previous = null;
  segment.newer = null;
  segment.older = null;
  if (spares >= SPARES) {
    segment.next = null;
    return;
  }
  segment.transmissions = 1;
  segment.sacked = false;
  segment.lost = false;
  segment.appLimited = false;
  segment.next = spare;
  spare = segment;
  spares++;
}
