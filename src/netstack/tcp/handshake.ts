import { after, type Duration, type Instant } from "../../core/time.ts";
import { type Seq, seqAdd, seqGt, seqLe } from "../../wire/seq.ts";
import { TcpFlag, type TcpView } from "../../wire/tcp.ts";
import { scaledWindow } from "./acknowledgment.ts";
import type { TcpConnection } from "./connection.ts";
import { takePayload } from "./delivery.ts";
import { Ecn } from "./ecn.ts";
import type { CookieState } from "./host.ts";
import { startKeepAlive } from "./keep-alive.ts";
import { Pending } from "./pending.ts";
import { FOREVER } from "./recovery/loss-recovery.ts";
import { ESTABLISHED, FIN_WAIT_1, SYN_RECEIVED_ACTIVE } from "./state.ts";
import { connectionError, shut, timeoutError } from "./teardown.ts";
import { shiftFor } from "./window-scale.ts";

/** RFC 3168 §6.1.1.1: after so many SYNs without an answer, ECN may be what eats them. */
const SYNS_WITH_ECN = 2;

/** What only SYN_SENT and SYN_RECEIVED need. */
export class Handshake {
  /** SYNs or SYN+ACKs that were sent, and when the first was. */
  transmissions = 0;
  /** Of the timer; a peer that repeats its SYN draws more answers. */
  expiries = 0;
  sentAt: Instant = 0 as Instant;
  /** Our SYN asks for ECN. */
  offersEcn = false;
  /** Of a segment that acknowledges what was never sent. */
  misfitAck: Seq = 0 as Seq;
}

/** RFC 9293 §3.10.7.3: a segment in SYN_SENT. */
export function arriveInSynSent(
  c: TcpConnection,
  now: Instant,
  view: TcpView,
  bytes: Uint8Array,
): void {
  const { snd, rcv } = c;
  const flags = view.flags;
  const acknowledges = (flags & TcpFlag.ack) !== 0;
  const ack = view.acknowledgment;
  if (acknowledges && (!seqGt(ack, snd.una) || seqGt(ack, snd.nxt))) {
    if ((flags & TcpFlag.rst) === 0) answerMisfit(c, ack);
    return;
  }
  if ((flags & TcpFlag.rst) !== 0) {
    // Without an ACK it may be a blind guess.
    if (acknowledges) shut(c, connectionError(c, "ECONNREFUSED", "the peer refused"));
    return;
  }
  if ((flags & TcpFlag.syn) === 0) return;
  acceptSyn(c, now, view);
  if (!acknowledges) {
    simultaneousOpen(c, view);
    return;
  }
  // RFC 3168 §6.1.1: agreed when the answer has ECE and not CWR.
  if (c.handshake?.offersEcn && (flags & (TcpFlag.ece | TcpFlag.cwr)) === TcpFlag.ece)
    c.ecn = new Ecn();
  snd.acknowledge(ack);
  snd.setWindow(view.window, view.sequence, ack);
  c.ackPolicy.owed = 1;
  c.host.wantsTransmit(c);
  establish(c, now);
  if (view.payloadLength > 0 || (flags & TcpFlag.fin) !== 0) {
    takePayload(c, now, rcv.nxt, view, bytes, (flags & TcpFlag.fin) !== 0);
  }
}

/** RFC 9293 §3.5, figure 8. */
function simultaneousOpen(c: TcpConnection, view: TcpView): void {
  c.snd.setWindow(view.window, view.sequence, c.snd.una);
  if (agreesToEcn(c, view.flags)) c.ecn = new Ecn();
  c.enter(SYN_RECEIVED_ACTIVE);
  c.pending |= Pending.syn;
  c.host.wantsTransmit(c);
}

/** The peer's SYN: its number and what its options agree to. */
export function acceptSyn(c: TcpConnection, now: Instant, view: TcpView): void {
  const { snd, rcv, settings } = c;
  const options = view.options;
  rcv.begin(view.sequence);
  if (options.maximumSegmentSize >= 0) snd.peerMss = options.maximumSegmentSize;
  c.sack = settings.sack && options.sackPermitted;
  c.timestamps = settings.timestamps && options.hasTimestamps;
  if (c.timestamps) rcv.setTsRecent(now, options.timestampValue);
  if (settings.windowScaling && options.windowScale >= 0) {
    snd.scale = options.windowScale;
    rcv.scale = shiftFor(settings.maxReceiveBuffer);
  }
  c.adoptUserTimeout(options.userTimeoutSeconds);
  configure(c);
}

function configure(c: TcpConnection): void {
  c.snd.updateMss(c.timestamps);
  c.recovery.configure({ sack: c.sack, timestamps: c.timestamps, mss: c.snd.mss });
}

/** What the handshake would have left, had a cookie not stood in for it. */
export function restoreHandshake(c: TcpConnection, cookie: CookieState): void {
  const { snd, rcv, settings } = c;
  rcv.begin(cookie.irs as Seq);
  snd.peerMss = cookie.peerMss;
  snd.una = seqAdd(cookie.iss as Seq, 1);
  snd.nxt = snd.una;
  snd.wl1 = cookie.irs as Seq;
  c.sack = cookie.sack;
  if (cookie.windowScale >= 0) {
    snd.scale = cookie.windowScale;
    rcv.scale = shiftFor(settings.maxReceiveBuffer);
  }
  c.timestamps = cookie.timestamp !== null;
  rcv.setTsRecent(c.host.now(), cookie.timestamp ?? 0);
  if (cookie.ecn) c.ecn = new Ecn();
  configure(c);
  c.state = ESTABLISHED;
  c.handshake = null;
  c.announcePending = true;
}

/** RFC 3168 §6.1.1: a SYN with both flags asks. */
export const agreesToEcn = (c: TcpConnection, flags: number): boolean => {
  const asked = (flags & (TcpFlag.ece | TcpFlag.cwr)) === (TcpFlag.ece | TcpFlag.cwr);
  return asked && c.settings.ecn !== "off";
};

/** RFC 9293 §3.10.7.4, fifth, SYN-RECEIVED: false when the ACK is not that of our SYN. */
export function completeHandshake(
  c: TcpConnection,
  now: Instant,
  view: TcpView,
  seq: Seq,
): boolean {
  const { snd } = c;
  const ack = view.acknowledgment;
  if (seqLe(ack, snd.una) || seqGt(ack, snd.nxt)) {
    answerMisfit(c, ack);
    return false;
  }
  snd.acknowledge(ack);
  snd.setWindow(scaledWindow(c, view), seq, ack);
  establish(c, now);
  return true;
}

export function answerMisfit(c: TcpConnection, ack: Seq): void {
  if (c.handshake === null) return;
  c.handshake.misfitAck = ack;
  c.pending |= Pending.misfit;
  c.host.wantsTransmit(c);
}

function establish(c: TcpConnection, now: Instant): void {
  const { transmissions, expiries, sentAt } = c.handshake!;
  const rtt = transmissions === 1 ? ((now - sentAt) as Duration) : null;
  c.recovery.onHandshakeRtt(now, rtt, expiries);
  c.handshake = null;
  c.pending &= ~(Pending.syn | Pending.misfit);
  if (c.deadlines !== null) c.deadlines.state = FOREVER;
  c.lastHeardAt = now;
  c.enter(ESTABLISHED);
  if (c.snd.finQueued) c.enter(FIN_WAIT_1);
  announce(c, now);
}

/** Tells the owner. */
export function announce(c: TcpConnection, now: Instant): void {
  startKeepAlive(c, now);
  if (c.snd.unsent > 0 || c.snd.finQueued) c.host.wantsTransmit(c);
  if (!c.orphaned) c.owner?.onEstablished();
}

/** The SYN or SYN+ACK has left. */
export function synSent(c: TcpConnection, now: Instant): void {
  const { snd, settings } = c;
  const handshake = c.handshake!;
  if (handshake.transmissions++ === 0) {
    handshake.sentAt = now;
    snd.nxt = seqAdd(snd.una, 1);
  }
  // An answer to a SYN that came again does not move the deadline, or a peer could do so for ever.
  if (c.waiting.state !== FOREVER) return;
  const wait = Math.min(settings.maxRto, settings.initialRto * 2 ** handshake.expiries);
  c.waiting.state = after(now, wait as Duration);
  c.arm(c.waiting.state);
}

export function synTimeout(c: TcpConnection): void {
  const { settings } = c;
  const handshake = c.handshake!;
  const retries = c.state.kind === "SynSent" ? settings.synRetries : settings.synAckRetries;
  if (++handshake.expiries > retries) {
    shut(c, timeoutError(c, "the peer did not answer"));
    return;
  }
  if (handshake.expiries >= SYNS_WITH_ECN) handshake.offersEcn = false;
  c.pending |= Pending.syn;
  c.host.wantsTransmit(c);
}
