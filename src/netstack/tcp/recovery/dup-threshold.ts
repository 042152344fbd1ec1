import { seqLt } from "../../../wire/seq.ts";
import { DUPLICATE_THRESHOLD } from "./duplicate-acks.ts";
import type { Scoreboard } from "./scoreboard.ts";
import type { SentSegment } from "./sent-segment.ts";

/**
 * RFC 6675 §4, Update and IsLost: marks as lost what has DupThresh runs, or more than DupThresh − 1
 * segments' bytes, SACKed above it. Retransmissions are left to the timer, as there.
 */
export function markByThreshold(board: Scoreboard, mss: number): void {
  let runs = 0;
  let bytes = 0;
  let segment = board.highestSacked;
  while (segment !== null) {
    if (segment.sacked) {
      runs++;
      bytes += segment.length;
    } else if (runs >= DUPLICATE_THRESHOLD || bytes > (DUPLICATE_THRESHOLD - 1) * mss) {
      // What lies below one that is already lost has been judged.
      if (segment.lost) return;
      if (!segment.retransmitted) board.lose(segment);
    }
    segment = segment.previous;
  }
}

/**
 * RFC 6675 §4, NextSeg rule 3, once nothing is known to be lost and there are no new data: a segment
 * below the highest SACKed one, never retransmitted.
 */
export function belowSacked(board: Scoreboard): SentSegment | null {
  const high = board.highestSacked;
  if (high === null) return null;
  for (let s = board.head; s !== null && seqLt(s.start, high.start); s = s.next) {
    if (!s.sacked && !s.lost && !s.retransmitted) return s;
  }
  return null;
}

/** NextSeg rule 4, once in a recovery: the last unSACKed one. */
export function rescue(board: Scoreboard): SentSegment | null {
  let last = board.tail;
  while (last?.sacked) last = last.previous;
  return last;
}
