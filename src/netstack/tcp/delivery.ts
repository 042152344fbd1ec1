import { after, type Instant } from "../../core/time.ts";
import { type Seq, seqAdd, seqDiff, seqGt, seqLt, seqMin } from "../../wire/seq.ts";
import type { TcpView } from "../../wire/tcp.ts";
import { Assembler } from "./assembler.ts";
import type { TcpConnection } from "./connection.ts";
import { ReceiveTuning } from "./receive-tuning.ts";
import { CLOSE_WAIT, CLOSING, receives } from "./state.ts";
import { enterTimeWait, reset, settle } from "./teardown.ts";

/**
 * RFC 9293 §3.10.7.4, seventh and eighth: the payload and FIN of an acceptable segment, of which `seq` is the
 * first byte's number. Trimmed to the window, handed to the owner where it is next, kept where it is ahead.
 */
export function takePayload(
  c: TcpConnection,
  now: Instant,
  sequence: Seq,
  view: TcpView,
  bytes: Uint8Array,
  finFlag: boolean,
): void {
  if (!receives(c.state.kind)) return;
  const { rcv } = c;
  let seq = sequence;
  let start = view.payloadStart;
  let end = view.payloadEnd;
  let fin = finFlag;
  // RFC 1122 §4.2.2.13: nobody is there to read it.
  if (c.orphaned && end > start && seqGt(seqAdd(seq, end - start), rcv.nxt)) {
    reset(c, null);
    return;
  }
  const old = seqDiff(rcv.nxt, seq);
  if (old > 0) {
    noteDuplicate(c, seq, seqMin(seqAdd(seq, end - start), rcv.nxt));
    start = Math.min(end, start + old);
    seq = rcv.nxt;
  }
  const last = rcv.finAt !== null && seqLt(rcv.finAt, rcv.edge) ? rcv.finAt : rcv.edge;
  const excess = seqDiff(seqAdd(seq, end - start), last);
  if (excess > 0) {
    end = Math.max(start, end - excess);
    fin = false;
  }
  if (fin && rcv.finAt === null) rcv.finAt = seqAdd(seq, end - start);
  if (seq === rcv.nxt) takeInOrder(c, now, bytes, start, end);
  else keepAhead(c, seq, bytes, start, end);
  if (rcv.finAt === rcv.nxt && !rcv.finReceived && receives(c.state.kind)) takeFin(c, now);
}

/** What a duplicate held, for D-SACK (RFC 2883), and an ACK at once. */
export function noteDuplicate(c: TcpConnection, start: Seq, end: Seq): void {
  if (c.sack && seqGt(end, start)) c.rcv.duplicate = { start, end };
  c.ackPolicy.onDisorder(c.sack);
}

function takeInOrder(
  c: TcpConnection,
  now: Instant,
  bytes: Uint8Array,
  start: number,
  last: number,
): void {
  const { rcv } = c;
  if (start === last) return;
  const reads = !c.paused && c.owner !== null && rcv.unreadBytes === 0;
  // What finds no memory is as good as lost: it is not acknowledged, and comes again.
  const end = reads ? last : Math.min(last, start + rcv.room);
  if (end < last) c.ackPolicy.owed = 1;
  const length = end - start;
  if (length === 0) return;
  const gap = rcv.hasGap;
  rcv.nxt = seqAdd(rcv.nxt, length);
  rcv.bytesReceived += length;
  acknowledge(c, now, length, gap);
  if (reads) {
    c.owner!.onData(bytes, start, end);
    noteConsumed(c, now, length);
  } else rcv.keep(bytes, start, end);
  if (gap) moveRanges(c, now);
}

/** Tuning begins once a good part of the buffer has been used. */
function noteConsumed(c: TcpConnection, now: Instant, length: number): void {
  const { rcv } = c;
  if (c.tuning === null) {
    if (rcv.bytesReceived < rcv.limit >>> 3) return;
    c.tuning = new ReceiveTuning(now, c.recovery.rtt.srtt);
  }
  c.tuning.onConsumed(now, length, rcv, c.settings, c.ackPolicy.segmentSize);
}

/** The gap before the first range is closed: it and all that follow it without one become readable. */
function moveRanges(c: TcpConnection, now: Instant): void {
  const { rcv } = c;
  for (;;) {
    const range = rcv.assembler?.takeUpTo(rcv.nxt) ?? null;
    if (range === null) break;
    rcv.nxt = seqAdd(rcv.nxt, range.bytes.length);
    rcv.bytesReceived += range.bytes.length;
    rcv.keepAll(range.bytes);
  }
  drainUnread(c, now);
}

/** Hands over what was kept, as long as the owner reads. */
export function drainUnread(c: TcpConnection, now: Instant): void {
  const queue = c.rcv.unread;
  if (queue === null || c.draining) return;
  c.draining = true;
  while (!c.paused && c.owner !== null && queue.length > 0) {
    const length = queue.frontEnd - queue.frontStart;
    c.owner.onData(queue.frontBytes, queue.frontStart, queue.frontEnd);
    if (c.rcv.unread !== queue) break; // aborted meanwhile
    c.rcv.dropRead(length);
    noteConsumed(c, now, length);
  }
  c.draining = false;
}

/** Reading was resumed: what has piled up, the end, and a window update where it is worth one. */
export function resumeReading(c: TcpConnection, now: Instant): void {
  drainUnread(c, now);
  deliverEnd(c);
  const { rcv } = c;
  if (!receives(c.state.kind)) return;
  const size = c.ackPolicy.segmentSize;
  const opened = seqDiff(rcv.nextEdge(size), rcv.edge);
  // RFC 9293 §3.8.6.2.2, and no ACK for each little read while the window is wide.
  if (opened < rcv.limit >>> 2 && (opened === 0 || rcv.window >= 2 * size)) return;
  c.ackPolicy.owed = 1;
  c.host.wantsTransmit(c);
}

function takeFin(c: TcpConnection, now: Instant): void {
  const { rcv } = c;
  rcv.nxt = seqAdd(rcv.nxt, 1);
  rcv.finReceived = true;
  c.ackPolicy.owed = 1;
  switch (c.state.kind) {
    case "Established":
      c.enter(CLOSE_WAIT);
      break;
    case "FinWait1":
      c.enter(CLOSING);
      break;
    case "FinWait2":
      enterTimeWait(c, now);
      break;
  }
  deliverEnd(c);
}

function deliverEnd(c: TcpConnection): void {
  const { rcv } = c;
  if (!rcv.finReceived || rcv.endDelivered || c.paused || c.owner === null) return;
  if (rcv.unreadBytes > 0 || c.closedTold) return;
  rcv.endDelivered = true;
  if (!c.orphaned) c.owner.onEnd();
  settle(c);
}

function acknowledge(c: TcpConnection, now: Instant, length: number, gap: boolean): void {
  const { rcv, ackPolicy } = c;
  if (gap) {
    ackPolicy.onDisorder(c.sack);
    return;
  }
  const since = seqDiff(rcv.nxt, rcv.acknowledged);
  if (ackPolicy.onData(length, since, c.announcedMss) === "now") return;
  const at = after(now, c.settings.delayedAck);
  const { waiting } = c;
  if (at >= waiting.delayedAck) return;
  waiting.delayedAck = at;
  c.arm(at);
}

function keepAhead(
  c: TcpConnection,
  seq: Seq,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const { rcv } = c;
  c.ackPolicy.onDisorder(c.sack);
  if (start === end) return;
  const assembler = (rcv.assembler ??= new Assembler(c.host.memoryAhead));
  const last = seqAdd(seq, end - start);
  // RFC 2883 §4.1: a duplicate ahead of a gap is told, too.
  if (c.sack && assembler.covers(seq, last)) rcv.duplicate = { start: seq, end: last };
  assembler.insert(seq, bytes, start, end - start);
}
