import { after, type Instant } from "../../core/time.ts";
import { type Seq, seqAcceptable, seqAdd, seqDiff, seqMin } from "../../wire/seq.ts";
import { TcpFlag, type TcpView } from "../../wire/tcp.ts";
import { takeAcknowledgment } from "./acknowledgment.ts";
import type { TcpConnection } from "./connection.ts";
import { noteDuplicate, takePayload } from "./delivery.ts";
import { announce, arriveInSynSent, completeHandshake } from "./handshake.ts";
import { Pending } from "./pending.ts";
import { connectionError, shut } from "./teardown.ts";
import { NO_SAMPLE, noteTimestamp, pawsAccepts, rttOfEcho } from "./timestamps.ts";

/** What keeps a segment from being an ordinary one of an established connection. */
const UNUSUAL = TcpFlag.syn | TcpFlag.rst | TcpFlag.ack;

/** RFC 9293 §3.10.7: a segment for a connection that exists. */
export function segmentArrived(
  c: TcpConnection,
  now: Instant,
  view: TcpView,
  bytes: Uint8Array,
  codepoint: number,
): void {
  c.segmentsReceived++;
  const kind = c.state.kind;
  if (kind === "Closed") return;
  if (kind === "SynSent") arriveInSynSent(c, now, view, bytes);
  else arrive(c, now, view, bytes, codepoint);
  wakeOutput(c);
}

/** §3.10.7.4: every state but CLOSED, LISTEN and SYN_SENT. */
function arrive(
  c: TcpConnection,
  now: Instant,
  view: TcpView,
  bytes: Uint8Array,
  codepoint: number,
): void {
  const { rcv } = c;
  const payload = view.payloadEnd - view.payloadStart;
  let flags = view.flags;
  let seq = view.sequence;
  if (c.timestamps && (flags & TcpFlag.rst) === 0 && !passesPaws(c, now, view, payload)) return;
  if (c.state.kind === "SynReceived" && (flags & TcpFlag.syn) !== 0 && seq === rcv.irs) {
    if ((flags & TcpFlag.ack) === 0) {
      repeatSynAck(c);
      return;
    }
    // §3.5, figure 8: the SYN+ACK that crossed ours.
    flags &= ~TcpFlag.syn;
    seq = seqAdd(seq, 1);
  }
  const length = payload + (flags & TcpFlag.fin);
  // Header prediction: what comes next, and fits.
  const expected =
    (flags & UNUSUAL) === TcpFlag.ack && seq === rcv.nxt && length <= seqDiff(rcv.edge, rcv.nxt);
  if (!expected && !isAcceptable(c, now, view, flags, seq, length)) return;
  c.lastHeardAt = now;
  const rtt = c.timestamps ? rttOfEcho(now, c.tsOffset, view.options.timestampEcho) : NO_SAMPLE;
  if (c.timestamps) noteTimestamp(rcv, now, seq, view.options.timestampValue);
  if (c.state.kind === "SynReceived" && !completeHandshake(c, now, view, seq)) return;
  if (c.announcePending) {
    c.announcePending = false;
    announce(c, now);
  }
  if (c.state.kind === "Closed") return; // the owner did not want it
  if (!takeAcknowledgment(c, now, view, seq, length, rtt)) return;
  if (view.options.userTimeoutSeconds >= 0) c.adoptUserTimeout(view.options.userTimeoutSeconds);
  if (length === 0) return;
  if (payload >= c.ackPolicy.segmentSize) c.tuning?.noteRtt(rtt);
  if (c.ecn !== null) c.ecn.onData(codepoint, (flags & TcpFlag.cwr) !== 0);
  takePayload(c, now, seq, view, bytes, (flags & TcpFlag.fin) !== 0);
}

/** RFC 7323 §5.3, R1, and §3.2: with timestamps agreed, a segment without one is dropped. */
function passesPaws(c: TcpConnection, now: Instant, view: TcpView, payload: number): boolean {
  if (!view.options.hasTimestamps) return false;
  if (pawsAccepts(c.rcv, now, view.options)) return true;
  answerUnacceptable(c, now, payload);
  return false;
}

/** §3.10.7.4, first to fifth: sequence number, RST, SYN, ACK bit. What is not acceptable was answered. */
function isAcceptable(
  c: TcpConnection,
  now: Instant,
  view: TcpView,
  flags: number,
  seq: Seq,
  length: number,
): boolean {
  const { rcv } = c;
  if ((flags & TcpFlag.rst) !== 0) {
    arriveReset(c, now, seq);
    return false;
  }
  if ((flags & TcpFlag.syn) !== 0) {
    c.challenge(now); // RFC 5961 §4.2, wherever it lies
    return false;
  }
  if (seqAcceptable(seq, length, rcv.nxt, rcv.window)) return (flags & TcpFlag.ack) !== 0;
  const acknowledges = (flags & TcpFlag.ack) !== 0;
  // An empty segment at the very edge: its sender has filled our window, and something of it was lost.
  if (length === 0 && seq === rcv.edge && acknowledges) return true;
  if (acknowledges && c.state.kind !== "SynReceived" && isRepetition(c, seq)) {
    // §3.10.7.4: with a closed window, valid ACKs are to be taken all the same. So are those of
    // repeated segments: where both ends repeat, nobody would ever learn of an ACK otherwise.
    c.lastHeardAt = now;
    takeAcknowledgment(c, now, view, seq, length, NO_SAMPLE);
    if (c.state.kind === "Closed") return false;
  }
  const payload = view.payloadEnd - view.payloadStart;
  const end = seqAdd(seq, payload);
  if (seqDiff(rcv.nxt, seq) > 0 && payload > 0) noteDuplicate(c, seq, seqMin(end, rcv.nxt));
  if (c.state.kind === "TimeWait" && (flags & TcpFlag.fin) !== 0) {
    // The peer missed our last ACK: 2 MSL begin anew.
    c.state.expiresAt = after(now, c.settings.timeWait);
    c.waiting.state = c.state.expiresAt;
  }
  answerUnacceptable(c, now, length);
  return false;
}

/** It begins at RCV.NXT or not further below than a window reaches. */
function isRepetition(c: TcpConnection, seq: Seq): boolean {
  const old = seqDiff(c.rcv.nxt, seq);
  return old >= 0 && old <= Math.max(c.rcv.limit, 0xffff);
}

/** "An acknowledgment should be sent in reply"; empty segments draw few, or two ends could go on forever. */
function answerUnacceptable(c: TcpConnection, now: Instant, length: number): void {
  if (length === 0 && !c.mayAnswerEmpty(now)) return;
  if (c.ackPolicy.owed === 0) c.ackPolicy.owed = 1;
}

/** RFC 5961 §3.2: only the very next number resets; others in the window have to ask again. */
function arriveReset(c: TcpConnection, now: Instant, seq: Seq): void {
  const { rcv } = c;
  if (seq !== rcv.nxt) {
    if (seqAcceptable(seq, 0, rcv.nxt, rcv.window)) c.challenge(now);
    return;
  }
  switch (c.state.kind) {
    case "TimeWait":
      return; // RFC 1337: TIME_WAIT is not to be assassinated
    case "SynReceived":
      shut(c, connectionError(c, "ECONNREFUSED", "the peer refused"));
      return;
    case "Closing":
    case "LastAck":
      // §3.10.7.4: both sides were through but for an ACK.
      shut(c, c.snd.queued === 0 ? null : connectionError(c, "ECONNRESET", "the peer reset"));
      return;
    default:
      shut(c, connectionError(c, "ECONNRESET", "the peer reset the connection"));
  }
}

/** The same SYN again: our answer was lost. */
function repeatSynAck(c: TcpConnection): void {
  c.pending |= Pending.syn;
  c.host.wantsTransmit(c);
}

/** Whatever came may have given cause to send. */
function wakeOutput(c: TcpConnection): void {
  const { snd } = c;
  if (
    c.ackPolicy.owed > 0 ||
    snd.una !== snd.nxt ||
    snd.unsent > 0 ||
    (snd.finQueued && !snd.finSent)
  ) {
    if (c.state.kind !== "Closed") c.host.wantsTransmit(c);
  }
}
