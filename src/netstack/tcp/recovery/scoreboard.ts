import type { Instant } from "../../../core/time.ts";
import { type Seq, seqAdd, seqGe, seqGt, seqLe, seqLt } from "../../../wire/seq.ts";
import { giveSegment, type SentSegment, takeSegment } from "./sent-segment.ts";

/**
 * Records of one connection; beyond it new data join the newest record, so that a window full of tiny
 * segments takes bounded memory. (Splits are bounded by the window: none makes less than a segment.)
 */
const MAX_RECORDS = 8192;

/**
 * All that is sent and not cumulatively acknowledged: a list by sequence number, and a list by time of
 * what is in flight, that is neither SACKed nor lost. Adjacent SACKed records become one. Every step
 * takes constant time, but for searching a number far from the last SACK.
 */
export class Scoreboard {
  head: SentSegment | null = null;
  tail: SentSegment | null = null;
  /** In flight, by time of transmission. */
  oldest: SentSegment | null = null;
  newest: SentSegment | null = null;
  /** Bytes of each kind; together SND.NXT − SND.UNA. */
  inFlight = 0;
  sackedBytes = 0;
  lostBytes = 0;
  records = 0;
  /** Runs of SACKed bytes with something else between them (RFC 6675 §4, IsLost). */
  sackedRuns = 0;
  /** The end of the highest SACKed record, meaningful while `sackedBytes` > 0. */
  highestSacked: SentSegment | null = null;
  /** Transmissions so far; a 31-bit count, which one flight does not use up. */
  #transmissions = 0;
  /** Nothing below it is lost; null: unknown, or nothing is. */
  #lostFrom: SentSegment | null = null;
  /** Where the last SACK block ended: the next is likely near. */
  #near: SentSegment | null = null;

  /** New data, or a SYN or FIN, at the end. */
  append(now: Instant, start: Seq, end: Seq): SentSegment {
    const last = this.tail;
    if (
      last !== null &&
      this.records >= MAX_RECORDS &&
      last === this.newest &&
      !last.retransmitted
    ) {
      this.inFlight += (end - last.end) | 0;
      last.end = end;
      last.sentAt = now;
      last.order = ++this.#transmissions;
      return last;
    }
    const segment = takeSegment();
    segment.start = start;
    segment.end = end;
    segment.sentAt = now;
    segment.previous = last;
    if (last === null) this.head = segment;
    else last.next = segment;
    this.tail = segment;
    this.records++;
    this.#fly(segment);
    return segment;
  }

  /** Cuts the record at `at`, inside of it; both halves keep its state. The lower half stays the object. */
  split(segment: SentSegment, at: Seq): SentSegment {
    const rest = takeSegment();
    rest.start = at;
    rest.end = segment.end;
    segment.end = at;
    rest.sentAt = segment.sentAt;
    rest.order = segment.order;
    rest.transmissions = segment.transmissions;
    rest.sacked = segment.sacked;
    rest.lost = segment.lost;
    rest.delivered = segment.delivered;
    rest.deliveredAt = segment.deliveredAt;
    rest.firstSentAt = segment.firstSentAt;
    rest.appLimited = segment.appLimited;
    rest.previous = segment;
    rest.next = segment.next;
    if (segment.next === null) this.tail = rest;
    else segment.next.previous = rest;
    segment.next = rest;
    this.records++;
    if (!segment.sacked && !segment.lost) this.#insertNewer(segment, rest);
    if (this.highestSacked === segment) this.highestSacked = rest;
    return rest;
  }

  /** The lowest record is acknowledged and goes. */
  dropHead(): void {
    const segment = this.head!;
    if (segment.sacked) {
      this.sackedBytes -= segment.length;
      this.sackedRuns--;
    } else if (segment.lost) this.lostBytes -= segment.length;
    else this.#land(segment);
    this.#forget(segment);
    this.head = segment.next;
    if (this.head === null) this.tail = null;
    else this.head.previous = null;
    this.records--;
    giveSegment(segment);
  }

  /** The lowest record is acknowledged up to `ack`, inside of it. */
  trimHead(ack: Seq): void {
    const segment = this.head!;
    const bytes = (ack - segment.start) | 0;
    if (segment.sacked) this.sackedBytes -= bytes;
    else if (segment.lost) this.lostBytes -= bytes;
    else this.inFlight -= bytes;
    segment.start = ack;
  }

  /** Marks an un-SACKed record and joins it with SACKed neighbours; returns the record it is now in. */
  sack(segment: SentSegment): SentSegment {
    if (segment.lost) {
      segment.lost = false;
      this.lostBytes -= segment.length;
    } else this.#land(segment);
    segment.sacked = true;
    this.sackedBytes += segment.length;
    this.sackedRuns++;
    const high = this.highestSacked;
    if (high === null || seqGt(segment.end, high.end)) this.highestSacked = segment;
    const next = segment.next;
    if (next?.sacked) this.#join(segment, next);
    const previous = segment.previous;
    const joined = previous?.sacked ? previous : segment;
    if (joined !== segment) this.#join(joined, segment);
    this.#near = joined;
    return joined;
  }

  /** Marks a record in flight as lost. */
  lose(segment: SentSegment): void {
    this.#land(segment);
    segment.lost = true;
    this.lostBytes += segment.length;
    const from = this.#lostFrom;
    if (this.lostBytes === segment.length || (from !== null && seqLt(segment.start, from.start))) {
      this.#lostFrom = segment;
    }
  }

  /** Everything in flight is lost. */
  loseAll(): void {
    while (this.oldest !== null) this.lose(this.oldest);
  }

  /** RFC 2018 §8: the peer may have discarded what it had SACKed; such records are lost. */
  renege(): void {
    for (let s = this.head; s !== null; s = s.next) {
      if (!s.sacked) continue;
      s.sacked = false;
      s.lost = true;
      this.lostBytes += s.length;
    }
    this.sackedBytes = 0;
    this.sackedRuns = 0;
    this.highestSacked = null;
    this.#near = null;
    this.#lostFrom = null;
  }

  /** The lost marks were wrong: the records are in flight since they were sent. */
  unlose(): void {
    let before: SentSegment | null = null;
    for (let s = this.firstLost(); s !== null; s = s.next) {
      if (!s.lost) continue;
      s.lost = false;
      this.lostBytes -= s.length;
      this.inFlight += s.length;
      let at: SentSegment | null = before;
      if (at !== null && at.order > s.order) at = null;
      let after: SentSegment | null = at === null ? this.oldest : at.newer;
      while (after !== null && after.order <= s.order) {
        at = after;
        after = after.newer;
      }
      this.#link(s, at, after);
      before = s;
    }
    this.#lostFrom = null;
  }

  /** The lost record with the lowest number. */
  firstLost(): SentSegment | null {
    if (this.lostBytes === 0) return null;
    let s = this.#lostFrom ?? this.head;
    while (s !== null && !s.lost) s = s.next;
    this.#lostFrom = s;
    return s;
  }

  /** A record was sent again: a lost one, or one in flight, which then counts once. */
  resend(now: Instant, segment: SentSegment): void {
    if (segment.lost) {
      segment.lost = false;
      this.lostBytes -= segment.length;
    } else this.#land(segment);
    segment.transmissions++;
    segment.sentAt = now;
    this.#fly(segment);
  }

  /** The record that holds `at`, or the first after it. */
  find(at: Seq): SentSegment | null {
    let s = this.#near;
    if (s === null) {
      const { head, tail } = this;
      if (head === null || tail === null) return null;
      s = ((at - head.start) | 0) < ((tail.end - at) | 0) ? head : tail;
    }
    while (s.previous !== null && seqLe(at, s.previous.start)) s = s.previous;
    if (s.previous !== null && seqLt(at, s.start)) s = s.previous;
    let found: SentSegment | null = s;
    while (found !== null && seqGe(at, found.end)) found = found.next;
    return found;
  }

  /** Makes it as new; only where everything is acknowledged. */
  clear(): void {
    while (this.head !== null) this.dropHead();
    this.#transmissions = 0;
    this.sackedRuns = 0;
    this.#lostFrom = null;
    this.#near = null;
    this.highestSacked = null;
  }

  #join(lower: SentSegment, upper: SentSegment): void {
    lower.end = seqAdd(lower.end, upper.length);
    if (this.highestSacked === upper) this.highestSacked = lower;
    this.#forget(upper);
    lower.next = upper.next;
    if (upper.next === null) this.tail = lower;
    else upper.next.previous = lower;
    this.sackedRuns--;
    this.records--;
    giveSegment(upper);
  }

  #forget(segment: SentSegment): void {
    if (this.#near === segment) this.#near = null;
    if (this.#lostFrom === segment) this.#lostFrom = null;
    if (this.highestSacked === segment) this.highestSacked = null;
  }

  #fly(segment: SentSegment): void {
    segment.order = ++this.#transmissions;
    this.inFlight += segment.length;
    this.#link(segment, this.newest, null);
  }

  #insertNewer(segment: SentSegment, rest: SentSegment): void {
    this.#link(rest, segment, segment.newer);
  }

  #link(segment: SentSegment, older: SentSegment | null, newer: SentSegment | null): void {
    segment.older = older;
    segment.newer = newer;
    if (older === null) this.oldest = segment;
    else older.newer = segment;
    if (newer === null) this.newest = segment;
    else newer.older = segment;
  }

  #land(segment: SentSegment): void {
    this.inFlight -= segment.length;
    if (segment.older === null) this.oldest = segment.newer;
    else segment.older.newer = segment.newer;
    if (segment.newer === null) this.newest = segment.older;
    else segment.newer.older = segment.older;
    segment.older = null;
    segment.newer = null;
  }
}
