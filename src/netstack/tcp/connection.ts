import type { NetError } from "../../core/errors.ts";
import { after, type Duration, type Instant, millis, seconds } from "../../core/time.ts";
import type { Seq } from "../../wire/seq.ts";
import type { TcpView } from "../../wire/tcp.ts";
import type { IcmpError } from "../ip/ip-layer.ts";
import type { Packet } from "../packet.ts";
import { AckPolicy } from "./ack-policy.ts";
import { ConnectionFlags } from "./connection-flags.ts";
import { Deadlines } from "./deadlines.ts";
import { resumeReading } from "./delivery.ts";
import { Ecn } from "./ecn.ts";
import { acceptSyn, agreesToEcn, Handshake, restoreHandshake } from "./handshake.ts";
import type { CookieState, TcpEndpoints, TcpHost } from "./host.ts";
import { icmpArrived } from "./icmp-arrival.ts";
import { infoOf, type TcpInfo } from "./info.ts";
import { startKeepAlive } from "./keep-alive.ts";
import type { OutgoingSegment } from "./outgoing-segment.ts";
import { commit, composeNext } from "./output.ts";
import type { TcpOwner } from "./owner.ts";
import { Pending } from "./pending.ts";
import { ReceiveSpace } from "./receive-space.ts";
import type { ReceiveTuning } from "./receive-tuning.ts";
import { FOREVER, LossRecovery } from "./recovery/loss-recovery.ts";
import { segmentArrived } from "./segment-arrival.ts";
import { SendSpace } from "./send-space.ts";
import type { TcpSettings } from "./settings.ts";
import { SYN_RECEIVED_PASSIVE, SYN_SENT, sends, type TcpState } from "./state.ts";
import { boundFinWait2, queueFin, reset, tellClosed } from "./teardown.ts";
import { timeoutsDue } from "./timeouts.ts";
import { adoptedUserTimeout } from "./user-timeout.ts";

/**
 * For what its user has left, and said nothing else of: the least that RFC 9293 §3.8.3 allows (R2), or
 * peers that vanish would fill the table of connections (Linux: tcp_orphan_retries).
 */
const ORPHAN_TIMEOUT = seconds(100);
/** ACKs in answer to empty segments that are not acceptable: one in this time, as in Linux. */
const EMPTY_ANSWERS = millis(500);

/**
 * One TCP connection (RFC 9293) without I/O: segments and timeouts go in, segments come out. It asks its
 * host to be polled (`wantsTransmit`); the host polls until `pollTransmit` says false. This class holds the
 * state and takes commands; what happens on arrival, on output and in time is in the files beside it,
 * and only they touch what is marked internal.
 */
export class TcpConnection extends ConnectionFlags {
  readonly host: TcpHost;
  readonly endpoints: TcpEndpoints;
  readonly settings: TcpSettings;
  state: TcpState = SYN_SENT;
  owner: TcpOwner | null = null;

  // Internal from here on.
  readonly passive: boolean;
  readonly snd: SendSpace;
  readonly rcv: ReceiveSpace;
  readonly recovery: LossRecovery;
  readonly ackPolicy = new AckPolicy();
  /** Null while there is nothing to wait for. */
  deadlines: Deadlines | null = null;
  /** Null until there is something to tune. */
  tuning: ReceiveTuning | null = null;
  /** Null unless negotiated. */
  ecn: Ecn | null = null;
  readonly tsOffset: number;
  /** What our SYN says; no segment that arrives is longer. */
  readonly announcedMss: number;
  /** Bits of `Pending`. */
  pending = 0;
  /** Null once it is over. */
  handshake: Handshake | null = new Handshake();
  /** Expiries of the persist timer, or -1 while it is off. */
  persistBackoff = -1;
  keepAliveSetting: TcpSettings["keepAlive"];
  keepAliveProbes = 0;
  lingerTime: Duration | null = null;
  userTimeoutLimit: Duration;
  /** What ICMP said since the last progress. */
  softError: NetError | null = null;
  lastHeardAt: Instant = 0 as Instant;
  segmentsSent = 0;
  segmentsReceived = 0;
  segmentsRetransmitted = 0;
  bytesAcknowledged = 0;
  #emptyAnsweredAt: Instant | null = null;

  private constructor(
    host: TcpHost,
    endpoints: TcpEndpoints,
    settings: TcpSettings,
    mss: number,
    iss: Seq,
    tsOffset: number,
    passive: boolean,
  ) {
    super();
    this.host = host;
    this.endpoints = endpoints;
    this.settings = settings;
    this.passive = passive;
    this.tsOffset = tsOffset | 0;
    this.announcedMss = settings.maxSegment > 0 ? Math.min(mss, settings.maxSegment) : mss;
    this.snd = new SendSpace(iss, mss, endpoints.local.version, host.sendMemory);
    this.rcv = new ReceiveSpace(settings, host.receiveMemory);
    this.recovery = new LossRecovery(host.rng, settings, this.snd.mss, iss);
    this.nagleOff = settings.noDelay;
    this.keepAliveSetting = settings.keepAlive;
    this.userTimeoutLimit = settings.userTimeout;
  }

  /**
   * SYN_SENT; the SYN leaves at the next poll. `endpoints` is kept. `mss`: what the MTU leaves beside IP and TCP headers, for
   * options and payload; `tsOffset`: added to our timestamps (RFC 7323 §5.4).
   */
  static connect(
    host: TcpHost,
    endpoints: TcpEndpoints,
    settings: TcpSettings,
    mss: number,
    iss: Seq,
    tsOffset: number,
    owner: TcpOwner,
  ): TcpConnection {
    const c = new TcpConnection(host, endpoints, settings, mss, iss, tsOffset, false);
    c.owner = owner;
    c.handshake!.offersEcn = settings.ecn === "on";
    c.pending = Pending.syn;
    host.wantsTransmit(c);
    return c;
  }

  /** SYN_RECEIVED, in answer to an acceptable SYN; set `owner` before it is established. */
  static accept(
    host: TcpHost,
    endpoints: TcpEndpoints,
    settings: TcpSettings,
    mss: number,
    iss: Seq,
    tsOffset: number,
    syn: TcpView,
  ): TcpConnection {
    const c = new TcpConnection(host, endpoints, settings, mss, iss, tsOffset, true);
    acceptSyn(c, host.now(), syn);
    if (agreesToEcn(c, syn.flags)) c.ecn = new Ecn();
    c.snd.setWindow(syn.window, syn.sequence, iss);
    c.state = SYN_RECEIVED_PASSIVE;
    c.pending = Pending.syn;
    host.wantsTransmit(c);
    return c;
  }

  /**
   * ESTABLISHED, from an ACK with a valid SYN cookie; set `owner`, then hand that ACK to `handleSegment`,
   * which calls `onEstablished` and takes its data.
   */
  static fromCookie(
    host: TcpHost,
    endpoints: TcpEndpoints,
    settings: TcpSettings,
    mss: number,
    tsOffset: number,
    cookie: CookieState,
  ): TcpConnection {
    const iss = cookie.iss as Seq;
    const c = new TcpConnection(host, endpoints, settings, mss, iss, tsOffset, true);
    restoreHandshake(c, cookie);
    return c;
  }

  /**
   * A segment for this connection, checksum verified. `bytes` is the memory that the view's offsets
   * are about; `ecn` the codepoint of the IP header. The owner may be called.
   */
  handleSegment(now: Instant, view: TcpView, bytes: Uint8Array, ecn: number): void {
    segmentArrived(this, now, view, bytes, ecn);
  }

  /**
   * Composes the next segment behind `out.start`, checksum field 0, and sets `out.end`, and for a long
   * one `out.gsoType` and `out.gsoSize`; false when there is nothing to send now. Nothing has changed
   * until `committed`: so call that when IP took the segment (or dropped it for good), and neither
   * it nor any other method in between.
   */
  pollTransmit(now: Instant, out: Packet, segment: OutgoingSegment): boolean {
    return composeNext(this, now, out, segment);
  }

  committed(now: Instant, segment: OutgoingSegment): void {
    commit(this, now, segment);
  }

  /** Called by its own timer; public for tests. */
  onTimer(now: Instant): void {
    this.waiting.armedAt = FOREVER;
    timeoutsDue(this, now);
    if (this.state.kind === "Closed") return;
    this.arm(this.waiting.earliest);
    this.arm(this.recovery.nextTimeout());
    // With its timer it weighs a fifth of an idle connection.
    if (this.waiting.armedAt === FOREVER) this.deadlines = null;
  }

  /** The path's MTU changed: bytes for options and payload in one packet (RFC 1191, 8201). */
  setMss(mss: number): void {
    const before = this.snd.mss;
    this.snd.pathMss = mss;
    if (!this.snd.updateMss(this.timestamps)) return;
    if (this.snd.mss < before) this.recovery.onPathMtuReduced(this.host.now(), this.snd.mss);
    else this.recovery.onMss(this.snd.mss);
    if (this.snd.una !== this.snd.nxt) this.host.wantsTransmit(this);
  }

  /**
   * RFC 5927: whether the error quotes something that is in flight. A hard one ends an attempt to
   * connect; otherwise it is remembered as the cause of a later timeout. `quoted`: its sequence number.
   */
  handleIcmp(_now: Instant, error: IcmpError, quoted: Seq): boolean {
    return icmpArrived(this, error, quoted);
  }

  /** Written and not yet acknowledged. */
  get queued(): number {
    return this.snd.queued;
  }

  /** Bytes queued from which on its user had better wait, and those at which it may go on. */
  get highWater(): number {
    return this.host.sendMemory.share(this.settings.sendHighWater);
  }

  get lowWater(): number {
    return Math.min(this.settings.sendLowWater, this.highWater / 2);
  }

  /** Copies bytes[start, end) and queues them; nothing after `end`, `close` or `abort`. */
  write(bytes: Uint8Array, start: number, end: number): void {
    const kind = this.state.kind;
    const opening = kind === "SynSent" || kind === "SynReceived";
    if (this.snd.finQueued || !(opening || sends(kind))) return;
    this.snd.append(bytes, start, end);
    if (!opening) this.host.wantsTransmit(this);
  }

  /** FIN after what is queued; reading goes on. */
  end(): void {
    queueFin(this);
  }

  /**
   * The owner is through: it hears of nothing more but `onClosed`. What is queued is still sent, unless
   * received bytes were left unread (RFC 2525 §2.17) or `linger` is 0: then a RST goes out.
   */
  close(): void {
    if (this.orphaned || this.closedTold) return;
    const kind = this.state.kind;
    const unread = this.rcv.unreadBytes > 0;
    if (unread || this.lingerTime === 0 || kind === "SynSent") {
      reset(this, null);
      return;
    }
    this.orphaned = true;
    if (this.deadlines !== null) this.deadlines.patience = FOREVER;
    queueFin(this);
    const now = this.host.now();
    boundFinWait2(this, now);
    if (!this.snd.allAcknowledged) this.startUserTimeout(now);
    if (this.snd.queued === 0) tellClosed(this, null);
    else if (this.lingerTime !== null) {
      this.waiting.patience = after(now, this.lingerTime);
      this.arm(this.waiting.patience);
    }
  }

  /** RST, and `onClosed(null)`. */
  abort(): void {
    reset(this, null);
  }

  /** No `onData` and no `onEnd` until `resume`; the window closes as the buffer fills. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    resumeReading(this, this.host.now());
  }

  set noDelay(on: boolean) {
    this.nagleOff = on;
    if (on) this.host.wantsTransmit(this);
  }

  /** Hold partial segments back (TCP_CORK), 200 ms at most. */
  set cork(on: boolean) {
    this.corked = on;
    this.corkExpired = false;
    if (on || this.orphaned) return;
    if (this.deadlines !== null) this.deadlines.patience = FOREVER;
    this.host.wantsTransmit(this);
  }

  set keepAlive(setting: TcpSettings["keepAlive"]) {
    this.keepAliveSetting = setting;
    this.keepAliveProbes = 0;
    const kind = this.state.kind;
    if (kind === "SynSent" || kind === "SynReceived" || kind === "Closed") return;
    startKeepAlive(this, this.host.now());
  }

  /** How long data may stay unacknowledged; RFC 5482 tells the peer. */
  set userTimeout(timeout: Duration) {
    this.userTimeoutLimit = timeout;
    this.userTimeoutFixed = true;
    this.announceUserTimeout = true;
    if (this.waiting.userTimeout !== FOREVER) this.startUserTimeout(this.host.now());
  }

  /** After `close`: null sends what is queued in its own time, 0 resets, else it resets after that. */
  set linger(linger: Duration | null) {
    this.lingerTime = linger;
  }

  info(): TcpInfo {
    return infoOf(this);
  }

  enter(next: TcpState): void {
    const before = this.state.kind;
    this.state = next;
    this.host.onStateChanged(this, before);
  }

  /** The deadlines, to set one. */
  get waiting(): Deadlines {
    return (this.deadlines ??= new Deadlines());
  }

  /** Sees to it that `onTimer` is called at `at`, or before. */
  arm(at: Instant): void {
    if (at === FOREVER) return;
    const waiting = this.waiting;
    if (at >= waiting.armedAt) return;
    waiting.armedAt = at;
    if (waiting.timer === null) waiting.timer = this.host.schedule(this, at);
    else waiting.timer.reschedule(at);
  }

  disarm(): void {
    this.deadlines?.clear();
    this.deadlines?.timer?.cancel();
    this.deadlines = null;
  }

  /** RFC 5961: "send an ACK" to what may be an attack, as often as the stack allows. */
  challenge(now: Instant): void {
    if (this.ackPolicy.owed === 0 && this.host.challengeAllowed(now)) this.ackPolicy.owed = 1;
  }

  mayAnswerEmpty(now: Instant): boolean {
    const last = this.#emptyAnsweredAt;
    if (last !== null && now - last < EMPTY_ANSWERS) return false;
    this.#emptyAnsweredAt = now;
    return true;
  }

  /** How long data may stay unacknowledged. */
  get acknowledgmentLimit(): Duration {
    const limit = this.userTimeoutLimit;
    const left = this.orphaned && !this.userTimeoutFixed && limit > ORPHAN_TIMEOUT;
    return left ? ORPHAN_TIMEOUT : limit;
  }

  startUserTimeout(now: Instant): void {
    this.waiting.userTimeout = after(now, this.acknowledgmentLimit);
    this.arm(this.waiting.userTimeout);
  }

  /** RFC 5482 §3.2: the peer told its own; -1: it did not. */
  adoptUserTimeout(seconds: number): void {
    if (seconds < 0 || this.userTimeoutFixed) return;
    this.userTimeoutLimit = adoptedUserTimeout(this.settings.userTimeout, seconds);
  }
}
