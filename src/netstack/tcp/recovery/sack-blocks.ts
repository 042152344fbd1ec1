import { type Seq, seq, seqAdd, seqGe, seqGt, seqLe, seqLt } from "../../../wire/seq.ts";
import type { TcpOptionIndex } from "../../../wire/tcp-options.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Scoreboard } from "./scoreboard.ts";
import type { SentSegment } from "./sent-segment.ts";

const MAX_BLOCKS = 4;
/** A D-SACK may lie so far below SND.UNA; what is older is somebody's guess. */
const MAX_DSACK_DISTANCE = 1 << 30;

/**
 * Reads the SACK blocks of ACKs into a scoreboard (RFC 2018 §4). Blocks of the last ACK are remembered,
 * as most return with the next one: only what is new of them is walked.
 */
export class SackReader {
  /** The last ACK's first block told of a duplicate (RFC 2883 §4): [dsackStart, dsackEnd). */
  hasDsack = false;
  dsackStart: Seq = seq(0);
  dsackEnd: Seq = seq(0);
  /** What the blocks of the last ACK marked, [start, end) one after another. */
  readonly #known = new Int32Array(2 * MAX_BLOCKS);
  #knownCount = 0;
  readonly #next = new Int32Array(2 * MAX_BLOCKS);
  #nextCount = 0;
  #markedEnd: Seq = seq(0);
  #markedStart: Seq = seq(0);

  reset(): void {
    this.#knownCount = 0;
    this.hasDsack = false;
  }

  /** Blocks outside of [ack, nxt] are ignored, but for a D-SACK. `ack` is SND.UNA by now. */
  read(
    options: TcpOptionIndex,
    board: Scoreboard,
    ack: Seq,
    nxt: Seq,
    mss: number,
    deliveries: Deliveries,
  ): void {
    this.readDuplicate(options, ack, nxt);
    const count = options.sackCount < MAX_BLOCKS ? options.sackCount : MAX_BLOCKS;
    this.#nextCount = 0;
    for (let i = this.hasDsack ? 1 : 0; i < count; i++) {
      const start = options.sackStart(i);
      const end = options.sackEnd(i);
      if (seqLt(start, ack) || !seqLt(start, end) || seqGt(end, nxt)) continue;
      this.#block(board, start, end, mss, deliveries);
    }
    this.#known.set(this.#next);
    this.#knownCount = this.#nextCount;
  }

  /** The first block alone, where nothing is outstanding. */
  readDuplicate(options: TcpOptionIndex, ack: Seq, nxt: Seq): void {
    this.hasDsack = false;
    if (options.sackCount === 0) return;
    const start = options.sackStart(0);
    const end = options.sackEnd(0);
    if (!seqLt(start, end) || seqGt(end, nxt)) return;
    // RFC 2883 §4.1: below the cumulative ACK; §4.2: inside of the second block.
    const below = seqLt(start, ack) && seqLe(end, ack);
    if (below ? ((ack - start) | 0) > MAX_DSACK_DISTANCE : !insideSecond(options, start, end)) {
      return;
    }
    this.hasDsack = true;
    this.dsackStart = start;
    this.dsackEnd = end;
  }

  #block(board: Scoreboard, start: Seq, end: Seq, mss: number, deliveries: Deliveries): void {
    const known = this.#known;
    let from = start;
    let to = end;
    let marked = false;
    for (let i = 0; i < this.#knownCount; i++) {
      const knownStart = seq(known[2 * i]!);
      const knownEnd = seq(known[2 * i + 1]!);
      if (seqLe(knownEnd, start) || seqGe(knownStart, end)) continue;
      if (seqLe(knownStart, start)) {
        // The common case: it grew at its end, or not at all.
        this.#markedStart = knownStart;
        this.#markedEnd = knownEnd;
        if (seqLe(end, knownEnd)) return this.#remember();
        from = knownEnd;
        marked = true;
        break;
      }
      if (seqGe(knownEnd, end)) {
        this.#markedStart = knownStart;
        this.#markedEnd = knownEnd;
        to = knownStart;
        marked = true;
        break;
      }
    }
    this.#mark(board, from, to, mss, deliveries, marked);
  }

  #mark(
    board: Scoreboard,
    start: Seq,
    end: Seq,
    mss: number,
    deliveries: Deliveries,
    marked: boolean,
  ): void {
    let any = marked;
    let segment = board.find(start);
    while (segment !== null && seqLt(segment.start, end)) {
      if (!segment.sacked) {
        const part = cut(board, segment, start, end, mss);
        if (part !== null) {
          deliveries.add(part, part.length, part.end, false);
          segment = board.sack(part);
        }
      }
      if (segment.sacked) {
        if (!any || seqLt(segment.start, this.#markedStart)) this.#markedStart = segment.start;
        if (!any || seqGt(segment.end, this.#markedEnd)) this.#markedEnd = segment.end;
        any = true;
      }
      segment = segment.next;
    }
    if (any) this.#remember();
  }

  #remember(): void {
    const at = 2 * this.#nextCount++;
    this.#next[at] = this.#markedStart;
    this.#next[at + 1] = this.#markedEnd;
  }
}

/**
 * The part of the record that [start, end) covers, as a record; null where that is none. Cut only at
 * multiples of the segment size, which bounds how many records a peer can make of one.
 */
function cut(
  board: Scoreboard,
  segment: SentSegment,
  start: Seq,
  end: Seq,
  mss: number,
): SentSegment | null {
  let part = segment;
  if (seqLt(part.start, start)) {
    const skip = Math.ceil(((start - part.start) | 0) / mss) * mss;
    if (skip >= part.length) return null;
    part = board.split(part, seqAdd(part.start, skip));
  }
  if (seqGt(part.end, end)) {
    const bytes = (end - part.start) | 0;
    const kept = bytes - (bytes % mss);
    if (kept <= 0) return null;
    board.split(part, seqAdd(part.start, kept));
  }
  return part;
}

function insideSecond(options: TcpOptionIndex, start: Seq, end: Seq): boolean {
  if (options.sackCount < 2) return false;
  return seqGe(start, options.sackStart(1)) && seqLe(end, options.sackEnd(1));
}
