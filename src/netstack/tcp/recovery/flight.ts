import type { Instant } from "../../../core/time.ts";
import { type Seq, seqAdd, seqGe, seqGt } from "../../../wire/seq.ts";
import type { Deliveries } from "./deliveries.ts";
import { DuplicateAcks } from "./duplicate-acks.ts";
import { Rack } from "./rack.ts";
import { SackReader } from "./sack-blocks.ts";
import { Scoreboard } from "./scoreboard.ts";
import type { SentSegment } from "./sent-segment.ts";

/** "No deadline". */
export const FOREVER = Number.MAX_SAFE_INTEGER as Instant;

/**
 * What a connection needs only while something is unacknowledged: the scoreboard, RACK's clock, the
 * deadlines. Pooled, so that an idle connection has none.
 */
export class Flight {
  readonly board = new Scoreboard();
  readonly rack = new Rack();
  readonly sacks = new SackReader();
  readonly duplicates = new DuplicateAcks();
  una: Seq = 0 as Seq;
  nxt: Seq = 0 as Seq;
  rtoAt: Instant = FOREVER;
  /** Tail loss probe. */
  probeAt: Instant = FOREVER;
  /** RACK's reordering timer. */
  reorderAt: Instant = FOREVER;
  /** The round trip under way ends when this is acknowledged. */
  roundEnd: Seq = 0 as Seq;
  /** The most in flight in this round, and whether the window held back data. */
  mostInFlight = 0;
  windowLimited = false;

  reset(start: Seq): void {
    this.una = start;
    this.nxt = start;
    this.rack.reset(start);
    this.sacks.reset();
    this.duplicates.reset();
    this.rtoAt = FOREVER;
    this.probeAt = FOREVER;
    this.reorderAt = FOREVER;
    this.roundEnd = start;
    this.mostInFlight = 0;
    this.windowLimited = false;
  }

  get inFlight(): number {
    // A path MTU that shrinks makes segments lost that duplicate ACKs have told of.
    const bytes = this.board.inFlight - this.duplicates.bytes;
    return bytes < 0 ? 0 : bytes;
  }

  get outstanding(): number {
    return (this.nxt - this.una) | 0;
  }

  /** SND.UNA advances to `ack`. */
  acknowledge(ack: Seq, deliveries: Deliveries): void {
    const board = this.board;
    this.una = ack;
    let segment = board.head;
    while (segment !== null && seqGe(ack, segment.end)) {
      if (!segment.sacked) deliveries.add(segment, segment.length, segment.end, true);
      board.dropHead();
      segment = board.head;
    }
    if (segment !== null && seqGt(ack, segment.start)) {
      if (!segment.sacked) deliveries.add(segment, (ack - segment.start) | 0, ack, true);
      board.trimHead(ack);
    }
  }

  /** The highest un-SACKed segment, at most `mss` bytes: what a probe repeats (RFC 8985 §7.3). */
  probeSegment(mss: number): SentSegment | null {
    let segment = this.board.tail;
    while (segment?.sacked) segment = segment.previous;
    if (segment === null || segment.length <= mss) return segment;
    const last = segment.length % mss || mss;
    return this.board.split(segment, seqAdd(segment.end, -last));
  }
}

const SPARES = 256;
const spare: Flight[] = [];

export function takeFlight(start: Seq): Flight {
  const flight = spare.pop() ?? new Flight();
  flight.reset(start);
  return flight;
}

/** Takes back one that holds nothing; beyond a bound it goes to the garbage collector. */
export function giveFlight(flight: Flight): void {
  flight.board.clear();
  if (spare.length < SPARES) spare.push(flight);
}
