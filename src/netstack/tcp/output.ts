import { after, type Instant, millis } from "../../core/time.ts";
import { type Seq, seqAdd, seqDiff, seqGt, seqMax } from "../../wire/seq.ts";
import { TcpFlag } from "../../wire/tcp.ts";
import type { Packet } from "../packet.ts";
import type { TcpConnection } from "./connection.ts";
import { synSent } from "./handshake.ts";
import { holdsBack, isSilly } from "./nagle.ts";
import type { OutgoingSegment, SegmentKind } from "./outgoing-segment.ts";
import { Pending } from "./pending.ts";
import { startPersist, stopPersist } from "./persist.ts";
import { FOREVER } from "./recovery/loss-recovery.ts";
import { markForSegmentation, optionsLength, writeSegment, writeSyn } from "./segment-writer.ts";

/** As in Linux. */
const CORK_PATIENCE = millis(200);

/**
 * Chooses the next segment and composes it: what was lost goes before probes, probes before new data,
 * data before an ACK of its own. False: nothing to send now.
 */
export function composeNext(
  c: TcpConnection,
  now: Instant,
  out: Packet,
  segment: OutgoingSegment,
): boolean {
  segment.ecn = 0;
  if ((c.pending & Pending.misfit) !== 0) return composeMisfitReset(c, now, out, segment);
  switch (c.state.kind) {
    case "Closed":
      return (c.pending & Pending.reset) !== 0 && composeReset(c, now, out, segment);
    case "SynSent":
    case "SynReceived":
      if ((c.pending & Pending.syn) !== 0) return composeSyn(c, now, out, segment);
      return c.ackPolicy.owed > 0 && composeBare(c, now, out, segment, "ack", c.snd.nxt);
    case "TimeWait":
      return c.ackPolicy.owed > 0 && composeBare(c, now, out, segment, "ack", c.snd.nxt);
    default:
      return (
        composeStream(c, now, out, segment) ||
        composeProbe(c, now, out, segment) ||
        (c.ackPolicy.owed > 0 && composeBare(c, now, out, segment, "ack", c.snd.nxt))
      );
  }
}

function composeSyn(
  c: TcpConnection,
  now: Instant,
  out: Packet,
  segment: OutgoingSegment,
): boolean {
  const answer = c.state.kind === "SynReceived";
  let flags: number = TcpFlag.syn;
  if (answer)
    flags |= TcpFlag.ack | (c.ecn !== null ? TcpFlag.ece : 0); // RFC 3168 §6.1.1
  else if (c.handshake!.offersEcn) flags |= TcpFlag.ece | TcpFlag.cwr;
  begin(segment, "syn", flags, c.snd.una, 1);
  writeSyn(c, now, out, segment);
  return true;
}

/** RFC 9293 §3.10.7.3 and .4: an ACK of what we never sent draws <SEQ=SEG.ACK><CTL=RST>. */
function composeMisfitReset(
  c: TcpConnection,
  now: Instant,
  out: Packet,
  segment: OutgoingSegment,
): boolean {
  begin(segment, "rst", TcpFlag.rst, c.handshake!.misfitAck, 0);
  writeSegment(c, now, out, segment, 0, 0);
  return true;
}

function composeReset(
  c: TcpConnection,
  now: Instant,
  out: Packet,
  segment: OutgoingSegment,
): boolean {
  begin(segment, "rst", TcpFlag.rst | TcpFlag.ack, c.snd.nxt, 0);
  writeSegment(c, now, out, segment, 0, 0);
  return true;
}

function composeBare(
  c: TcpConnection,
  now: Instant,
  out: Packet,
  segment: OutgoingSegment,
  kind: SegmentKind,
  sequence: Seq,
): boolean {
  begin(segment, kind, TcpFlag.ack, sequence, 0);
  writeSegment(c, now, out, segment, optionsLength(c), 0);
  return true;
}

/** Keep-alives and probes of a closed window take no number: an old one draws an ACK (§3.8.4). */
function composeProbe(
  c: TcpConnection,
  now: Instant,
  out: Packet,
  segment: OutgoingSegment,
): boolean {
  const kind =
    (c.pending & Pending.windowProbe) !== 0
      ? "window-probe"
      : (c.pending & Pending.keepAlive) !== 0
        ? "keep-alive"
        : null;
  return kind !== null && composeBare(c, now, out, segment, kind, seqAdd(c.snd.una, -1));
}

function composeStream(
  c: TcpConnection,
  now: Instant,
  out: Packet,
  segment: OutgoingSegment,
): boolean {
  const { snd, recovery } = c;
  const waiting = snd.unsent > 0 || (snd.finQueued && !snd.finSent);
  if (!waiting && snd.una === snd.nxt) return false;
  const options = optionsLength(c);
  const size = Math.min(snd.mss, snd.segmentRoom - options);
  // A path that does not even carry the headers refuses what is sent all the same.
  const room = Math.max(segment.maxSegment - options, 1);
  const most = segment.gso && room > size ? Math.floor(room / size) * size : Math.min(size, room);
  if (snd.una !== snd.nxt) {
    if (recovery.probeDue) return composeTailProbe(c, now, out, segment, options, size);
    const fresh = waiting && recovery.state !== "open" && hasFresh(c, now, size);
    const lost = recovery.nextRetransmission(now, fresh);
    if (lost !== null) {
      segment.source = lost;
      const length = Math.min(seqDiff(lost.end, lost.start), most);
      return composeData(c, now, out, segment, "retransmission", lost.start, length, options, size);
    }
  }
  if (!waiting) return false;
  const length = newDataLength(c, now, size, most);
  if (length === 0) return false;
  return composeData(c, now, out, segment, "data", snd.nxt, length, options, size);
}

/** Whether new data could go, had they not to wait for the congestion window: a FIN counts. */
function hasFresh(c: TcpConnection, now: Instant, size: number): boolean {
  const { snd } = c;
  const { unsent, usableWindow: window } = snd;
  if (window <= 0) return false;
  if (window < size && window < unsent) return c.overridesSilly || !isSilly(snd, window);
  return unsent === 0 || unsent >= size || !holdsBack(snd, c.nagleOff, isCorked(c, now));
}

/** How much of the sequence space (a FIN counts) the next packet of new data takes; 0: none may go now. */
function newDataLength(c: TcpConnection, now: Instant, size: number, most: number): number {
  const { snd } = c;
  const unsent = snd.unsent;
  const window = snd.usableWindow;
  if (unsent === 0) {
    if (window > 0) return 1;
    if (snd.allAcknowledged) startPersist(c, now);
    return 0;
  }
  if (window < size && window < unsent && !c.overridesSilly) {
    const refused = window <= 0 || isSilly(snd, window);
    if (refused) {
      if (snd.allAcknowledged) startPersist(c, now);
      return 0;
    }
  }
  if (window <= 0) return 0;
  const tail = unsent % size;
  if (unsent < size && holdsBack(snd, c.nagleOff, isCorked(c, now))) return 0;
  const allowance = c.recovery.sendAllowance(now, most);
  if (allowance <= 0) {
    // Pacing may have refused: then it is time, and no ACK, that lets data out.
    c.arm(c.recovery.nextTimeout());
    return 0;
  }
  let length = Math.min(unsent, window, allowance, most);
  if (length === unsent) {
    if (tail !== 0 && length > size && holdsBack(snd, c.nagleOff, isCorked(c, now)))
      return length - tail;
    return snd.finQueued && window > length ? length + 1 : length;
  }
  if (length > size) length -= length % size;
  return length;
}

/** A cork holds a small segment back, but not for ever. */
function isCorked(c: TcpConnection, now: Instant): boolean {
  if (!c.corked || c.corkExpired || c.snd.finQueued) return false;
  const { waiting } = c;
  if (waiting.patience === FOREVER) {
    waiting.patience = after(now, CORK_PATIENCE);
    c.arm(waiting.patience);
  }
  return true;
}

/** RFC 8985 §7.3: new data if the window lets one segment out, else the end of what is in flight. */
function composeTailProbe(
  c: TcpConnection,
  now: Instant,
  out: Packet,
  segment: OutgoingSegment,
  options: number,
  size: number,
): boolean {
  const { snd } = c;
  const fresh = Math.min(snd.unsent, snd.usableWindow, size);
  if (fresh > 0) return composeData(c, now, out, segment, "probe", snd.nxt, fresh, options, size);
  const last = c.recovery.probeSegment();
  if (last === null) {
    c.recovery.probeDue = false;
    return false;
  }
  const start = seqMax(last.start, seqAdd(last.end, -size));
  return composeData(c, now, out, segment, "probe", start, seqDiff(last.end, start), options, size);
}

function composeData(
  c: TcpConnection,
  now: Instant,
  out: Packet,
  segment: OutgoingSegment,
  kind: SegmentKind,
  sequence: Seq,
  length: number,
  options: number,
  size: number,
): boolean {
  const { snd, ecn } = c;
  const end = seqAdd(sequence, length);
  const fin = seqGt(end, snd.end);
  let payload = fin ? length - 1 : length;
  let flags: number = TcpFlag.ack;
  if (fin) flags |= TcpFlag.fin | TcpFlag.psh;
  else if (end === snd.end) flags |= TcpFlag.psh;
  begin(segment, kind, flags, sequence, length);
  // RFC 3168 §6.1.5: never on what is sent again, as its loss would tell nothing.
  if (ecn !== null && payload > 0 && kind === "data") {
    segment.ecn = 2;
    if (c.recovery.windowReduced) {
      // One segment alone: a device that cuts segments up might repeat the flag.
      if (payload > size) {
        payload = size;
        segment.length = size;
        segment.flags = TcpFlag.ack;
      }
      segment.flags |= TcpFlag.cwr;
    }
  }
  writeSegment(c, now, out, segment, options, payload);
  markForSegmentation(c, out, payload, size);
  return true;
}

function begin(
  segment: OutgoingSegment,
  kind: SegmentKind,
  flags: number,
  sequence: Seq,
  length: number,
): void {
  segment.kind = kind;
  segment.flags = flags;
  segment.sequence = sequence;
  segment.length = length;
}

/** The segment has left (or was dropped below): what follows from that. */
export function commit(c: TcpConnection, now: Instant, segment: OutgoingSegment): void {
  c.segmentsSent++;
  if ((segment.flags & TcpFlag.ack) !== 0) noteAcknowledgment(c, segment);
  const { snd, recovery } = c;
  const start = segment.sequence;
  const end = seqAdd(start, segment.length);
  switch (segment.kind) {
    case "rst":
      c.pending &= (segment.flags & TcpFlag.ack) !== 0 ? ~Pending.reset : ~Pending.misfit;
      return;
    case "syn":
      c.pending &= ~Pending.syn;
      synSent(c, now);
      return;
    case "window-probe":
      c.pending &= ~Pending.windowProbe;
      return;
    case "keep-alive":
      c.pending &= ~Pending.keepAlive;
      return;
    case "ack":
      return;
    case "retransmission": {
      c.segmentsRetransmitted++;
      recovery.onRetransmitted(now, segment.source!, end);
      segment.source = null;
      break;
    }
    case "probe":
      if (start === snd.nxt) advance(c, end);
      else c.segmentsRetransmitted++;
      recovery.onProbeSent(now, start, end);
      break;
    case "data": {
      const idle = snd.allAcknowledged;
      advance(c, end);
      if ((segment.flags & TcpFlag.cwr) !== 0) recovery.windowReduced = false;
      recovery.onSent(now, start, end, snd.unsent === 0);
      if (idle) c.startUserTimeout(now);
      break;
    }
  }
  c.arm(recovery.nextTimeout());
}

function advance(c: TcpConnection, end: Seq): void {
  const { snd } = c;
  const length = seqDiff(end, snd.nxt);
  if (seqGt(end, snd.end)) snd.finSent = true;
  snd.nxt = end;
  if (length % snd.mss !== 0) snd.smallEnd = end;
  if (c.persistBackoff >= 0) stopPersist(c);
  c.corkExpired = false;
  c.overridesSilly = false;
}

function noteAcknowledgment(c: TcpConnection, segment: OutgoingSegment): void {
  const { rcv } = c;
  rcv.acknowledged = segment.acknowledgment;
  rcv.edge = segment.edge;
  rcv.duplicate = null;
  c.announceUserTimeout = false;
  if (c.deadlines !== null) c.deadlines.delayedAck = FOREVER;
  c.ackPolicy.onSent(segment.kind === "ack");
}
