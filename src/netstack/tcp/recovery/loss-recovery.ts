import type { Rng } from "../../../core/random.ts";
import type { Duration, Instant } from "../../../core/time.ts";
import { type Seq, seqAdd, seqGe, seqGt } from "../../../wire/seq.ts";
import type { TcpOptionIndex } from "../../../wire/tcp-options.ts";
import { AckSample } from "../congestion/congestion-control.ts";
import { initialWindow } from "../congestion/initial-window.ts";
import type { TcpSettings } from "../settings.ts";
import { DeliveryRate } from "./delivery-rate.ts";
import { belowSacked, rescue } from "./dup-threshold.ts";
import { type Flight, FOREVER, giveFlight, takeFlight } from "./flight.ts";
import { deliveries, LossResponse } from "./loss-response.ts";
import type { NegotiatedOptions } from "./negotiated-options.ts";
import { burst, Pacer } from "./pacer.ts";
import { SackReader } from "./sack-blocks.ts";
import type { SentSegment } from "./sent-segment.ts";
import { TailProbe } from "./tail-probe.ts";

export { FOREVER, type NegotiatedOptions };

/**
 * What `handleTimeout` found: `none`: nothing is due, or pacing lets data out again · `probe`: send a
 * tail loss probe (see `probeDue`) · `lost`: segments were found lost, see `nextRetransmission` ·
 * `rto`: the retransmission timer expired, likewise; `backoff` tells how often in a row.
 */
export type TimeoutOutcome = "none" | "probe" | "lost" | "rto";

/** Of the ACK at hand, and its D-SACK when nothing is outstanding; shared likewise. */
const sample = new AckSample();
const duplicates = new SackReader();

/**
 * The sender's brain: what was lost, what may be sent, when to look again. The connection owns bytes,
 * sequence numbers and the peer's window; it reports what it sent and what was acknowledged.
 *
 * Drain: after `onAck` and after `handleTimeout`, whatever it returned, poll for transmission:
 *  1. if `probeDue`: send one segment of new data if the peer's window lets it, else all of
 *     `probeSegment()`, and report either with `onProbeSent`;
 *  2. while `nextRetransmission(…)` gives a segment: send its first bytes, report with `onRetransmitted`;
 *  3. while the peer's window and `sendAllowance(…)` allow: send new data, report with `onSent`;
 * then set the timer to `nextTimeout()`. Zero-window probes, keep-alives and pure ACKs are not reported.
 * A SYN and a FIN are (each takes a number); a FIN may go without asking for allowance.
 */
export class LossRecovery extends LossResponse {
  /** When the last outstanding byte was acknowledged; -1: something is outstanding, or never was. */
  #idleSince: Instant = -1 as Instant;

  /** `mss`: payload bytes of a segment; `iss`: number of the SYN. The RNG is for BBR's probing alone. */
  constructor(rng: Rng, settings: TcpSettings, mss: number, _iss: Seq) {
    super(rng, settings, mss);
  }

  /** Once, when the handshake has told what both sides can. Starts with the initial window of RFC 6928. */
  configure(options: NegotiatedOptions): void {
    this.sack = options.sack;
    this.established = true;
    this.onMss(options.mss);
    this.control.startAt(initialWindow(options.mss));
    if (this.control.samplesRate) this.rate = new DeliveryRate();
    if (this.control.pacingRate > 0) this.pacer = new Pacer();
  }

  /**
   * The handshake's round trip, or null when the SYN (or SYN+ACK) was sent more than once; `expiries`: how
   * often its timer made us do so.
   */
  onHandshakeRtt(now: Instant, rtt: Duration | null, expiries: number): void {
    this.doublings = 0;
    if (rtt !== null) this.rtt.onSample(now, rtt);
    if (expiries > 0) this.rtt.onSynLost();
    // RFC 5681 §3.1, as RFC 6928 §2 relaxes it: one timeout may come of the short first RTO.
    if (expiries > 1) this.control.startAt(this.mss);
  }

  /**
   * [start, end) went out for the first time, at most 64 KiB. `appLimited`: the connection had nothing
   * more to send behind it.
   */
  onSent(now: Instant, start: Seq, end: Seq, appLimited: boolean): void {
    this.#resume(now);
    const flight = this.flight ?? (this.flight = takeFlight(start));
    const before = flight.inFlight;
    const segment = flight.board.append(now, start, end);
    flight.nxt = end;
    if (this.repair?.frto === "new-data") this.repair.frto = "second-ack";
    this.#onTransmitted(now, segment, (end - start) | 0, before);
    const inFlight = flight.inFlight;
    if (inFlight > flight.mostInFlight) flight.mostInFlight = inFlight;
    if (appLimited && this.rate !== null && inFlight < this.cwnd) this.rate.onAppLimited(inFlight);
    if (flight.rtoAt === FOREVER) this.armRto(now, flight);
    this.armProbe(now, flight);
  }

  /**
   * What to send again now, lowest number first, or null. Send a packet of [start, min(end, start + n)),
   * then call `onRetransmitted` and ask again. `newDataReady`: there are unsent data that the peer's
   * window admits (F-RTO and RFC 6675's NextSeg prefer them at times).
   */
  nextRetransmission(now: Instant, newDataReady: boolean): SentSegment | null {
    const flight = this.flight;
    if (flight === null) return null;
    const repair = this.repair;
    const { board } = flight;
    let rescuing = false;
    let segment = board.lostBytes === 0 ? null : board.firstLost();
    if (segment === null) {
      if (this.settings.rack || newDataReady || repair?.state !== "recovery") return null;
      segment = belowSacked(board);
      rescuing = this.sack && segment === null && !repair.rescued;
      if (rescuing) segment = rescue(board);
      if (segment === null) return null;
    }
    if (!this.established) return segment;
    // RFC 5682 §2.1 step 2b: new data first, where there are any; then nothing before the next ACK.
    if (repair?.frto === "second-ack") return null;
    if (repair?.frto === "new-data") {
      if (newDataReady) return null;
      repair.frto = "off";
    }
    const room = this.#room(now, flight.inFlight);
    if (segment.length > room) {
      if (room < this.mss) return null;
      board.split(segment, seqAdd(segment.start, room - (room % this.mss)));
    }
    if (rescuing && repair !== null) repair.rescued = true;
    return segment;
  }

  /** [segment.start, end) went out again. The segment is split when that is not all of it. */
  onRetransmitted(now: Instant, segment: SentSegment, end: Seq): void {
    const flight = this.flight;
    if (flight === null) return;
    const before = flight.inFlight;
    if (end !== segment.end) flight.board.split(segment, end);
    flight.board.resend(now, segment);
    this.repair?.onRetransmitted(now, segment.length);
    this.#onTransmitted(now, segment, segment.length, before);
    if (flight.rtoAt === FOREVER) this.armRto(now, flight);
  }

  /**
   * Bytes of new data that congestion window and pacing let out now, a multiple of the segment size, or
   * 0. Ask only with data at hand that the peer's window admits. `maxPacket`: payload bytes that one
   * packet can carry: with more than a segment, small allowances are held back for a larger packet.
   */
  sendAllowance(now: Instant, maxPacket: number): number {
    this.#resume(now);
    const flight = this.flight;
    const inFlight = flight === null ? 0 : flight.inFlight;
    const mss = this.mss;
    const room = this.#room(now, inFlight);
    if (room >= mss && !this.#deferred(room, maxPacket)) return room - (room % mss);
    if (flight !== null) flight.windowLimited = true;
    return 0;
  }

  /**
   * For each acceptable ACK in a synchronized state, also one that acknowledges nothing new; not for one
   * below SND.UNA or above SND.NXT. `previousUna`: SND.UNA before it; `dataLength`: sequence numbers
   * that the segment took; `windowChanged`: its window differs from the last one; `ece`: ECN-Echo is set
   * and was negotiated; `rttFromTimestamp`: now − TSecr in microseconds, -1 without timestamps.
   */
  onAck(
    now: Instant,
    previousUna: Seq,
    ack: Seq,
    options: TcpOptionIndex,
    dataLength: number,
    windowChanged: boolean,
    ece: boolean,
    rttFromTimestamp: Duration,
  ): void {
    const flight = this.flight;
    if (flight === null) {
      this.#onAckWhenEmpty(now, ack, options, dataLength === 0 && !windowChanged);
      return;
    }
    const repair = this.repair;
    const { board, sacks } = flight;
    const d = deliveries;
    const priorInFlight = flight.inFlight;
    const flightSize = this.flightSize(flight);
    const hasSacks = this.sack && options.sackCount > 0;
    d.begin(now, rttFromTimestamp, this.rtt.minRtt, flight.rack, this.rate);
    if (repair !== null) d.watch(repair.recoveryPoint);

    const acked = (ack - previousUna) | 0;
    const advanced = acked > 0;
    if (advanced) flight.acknowledge(ack, d);
    if (hasSacks) sacks.read(options, board, ack, flight.nxt, this.mss, d);
    else sacks.hasDsack = false;
    const duplicate = !advanced && !hasSacks && dataLength === 0 && !windowChanged;
    if (!this.sack) this.countDuplicate(flight, duplicate, acked);
    if (d.bytes > 0) this.takeRtt(now, advanced, rttFromTimestamp);
    if (advanced) this.backoff = 0;
    if (d.reordered || sacks.hasDsack || this.reordering !== null) {
      const bytes = sacks.hasDsack ? (sacks.dsackEnd - sacks.dsackStart) | 0 : 0;
      this.noteOrder(now, ack, flight.nxt, bytes, sacks.dsackEnd, d.reordered);
    }

    const wasReducing = repair?.reducing ?? false;
    if (repair !== null && repair.state !== "open") {
      this.progress(now, repair, flight, advanced, duplicate, rttFromTimestamp);
    }
    if (this.probe?.active) {
      this.judgeProbe(now, ack, duplicate, sacks.hasDsack, sacks.dsackEnd, flightSize);
    }
    const lost = this.detect(now, flight);
    if (lost > 0) this.enterRecovery(now, flight, flightSize);
    if (ece && this.state === "open" && (repair === null || seqGt(ack, repair.recoveryPoint))) {
      this.enterCwr(now, flight, flightSize);
    }

    if (d.bytes > 0) {
      this.#inform(now, flight, priorInFlight, acked, lost, wasReducing);
      this.#reduceFurther(flight, d.bytes, advanced && lost === 0);
    }
    if (board.head === null) this.#land(now, flight);
    else {
      if (advanced) this.armRto(now, flight);
      this.armProbe(now, flight);
    }
  }

  /** The bytes for a tail loss probe when there are no new ones: at most one segment, or null. */
  probeSegment(): SentSegment | null {
    return this.flight === null ? null : this.flight.probeSegment(this.mss);
  }

  /** [start, end) went out as a probe: new data, or `probeSegment()` again. */
  onProbeSent(now: Instant, start: Seq, end: Seq): void {
    this.probeDue = false;
    const flight = this.flight;
    if (flight === null) return;
    const repeated = !seqGe(start, flight.nxt);
    if (repeated) {
      const before = flight.inFlight;
      let segment = flight.board.find(start);
      if (segment === null || segment.sacked) return;
      if (start !== segment.start) segment = flight.board.split(segment, start);
      flight.board.resend(now, segment);
      this.#onTransmitted(now, segment, segment.length, before);
    } else this.onSent(now, start, end, true);
    const probe = this.probe ?? (this.probe = new TailProbe());
    probe.onSent(flight.nxt, repeated);
    flight.probeAt = FOREVER;
    this.armRto(now, flight); // RFC 8985 §7.3
  }

  /** The earliest deadline, or FOREVER. */
  nextTimeout(): Instant {
    const flight = this.flight;
    let at = FOREVER;
    if (flight !== null) {
      at = flight.rtoAt;
      if (flight.probeAt < at) at = flight.probeAt;
      if (flight.reorderAt < at) at = flight.reorderAt;
    }
    return this.pacer === null ? at : this.pacer.earlier(at);
  }

  handleTimeout(now: Instant): TimeoutOutcome {
    this.pacer?.onTimeout(now);
    const flight = this.flight;
    if (flight === null) return "none";
    if (now >= flight.reorderAt) {
      const flightSize = this.flightSize(flight);
      if (this.detect(now, flight) > 0) {
        this.enterRecovery(now, flight, flightSize);
        this.#reduceFurther(flight, 0, false); // lets the first retransmission out
        return "lost";
      }
    }
    if (now >= flight.probeAt) {
      flight.probeAt = FOREVER;
      this.probeDue = true;
      this.armRto(now, flight);
      return "probe";
    }
    if (now < flight.rtoAt) return "none";
    this.onRto(now, flight);
    return "rto";
  }

  /** The segment size changed, as timestamps or the path demand. */
  onMss(mss: number): void {
    this.mss = mss;
    this.control.onMss(mss);
  }

  /** ICMP said "too big": what is larger than the new size is sent again, without blame (RFC 8201 §4). */
  onPathMtuReduced(_now: Instant, mss: number): void {
    this.onMss(mss);
    const board = this.flight?.board;
    if (board === undefined) return;
    for (let s = board.oldest; s !== null; ) {
      const newer = s.newer;
      if (s.length > mss) board.lose(s);
      s = newer;
    }
  }

  /** Bytes that congestion window and pacing leave. */
  #room(now: Instant, inFlight: number): number {
    const room = this.cwnd - inFlight;
    if (this.pacer === null || room < this.mss) return room;
    const paced = this.pacer.budget(now, this.control.pacingRate, this.mss);
    return paced < room ? paced : room;
  }

  /**
   * Whether to wait for ACKs that make a larger packet: about a millisecond's worth at twice the current
   * rate. Only while three quarters of the window are on the way, so that an ACK is sure to come.
   */
  #deferred(room: number, maxPacket: number): boolean {
    const cwnd = this.cwnd;
    const srtt = this.rtt.srtt;
    if (maxPacket <= this.mss || room >= cwnd >> 2 || cwnd < 8 * this.mss) return false;
    if (this.state !== "open" || srtt === 0 || this.pacer !== null) return false;
    return room < Math.min(maxPacket, burst((cwnd * 2_000_000) / srtt, this.mss));
  }

  #onTransmitted(now: Instant, segment: SentSegment, bytes: number, inFlightBefore: number): void {
    if (this.rate !== null) this.rate.onSent(now, segment, inFlightBefore);
    if (this.pacer !== null) this.pacer.onSent(now, bytes, this.control.pacingRate);
    const repair = this.repair;
    if (repair?.reducing) repair.prr.onSent(bytes);
    this.control.onSent(now, bytes, inFlightBefore + bytes);
  }

  /** Sending begins after a pause in which nothing was outstanding. */
  #resume(now: Instant): void {
    if (this.#idleSince < 0) return;
    const idle = (now - this.#idleSince) as Duration;
    this.#idleSince = -1 as Instant;
    this.control.onIdle(now, idle, this.rtt.rto as Duration);
  }

  /** Nothing is outstanding any more. */
  #land(now: Instant, flight: Flight): void {
    this.flight = null;
    this.probeDue = false;
    this.#idleSince = now;
    giveFlight(flight);
  }

  #reduceFurther(flight: Flight, delivered: number, safe: boolean): void {
    const repair = this.repair;
    if (repair === null || !repair.reducing) return;
    repair.prr.onAck(delivered, flight.inFlight, safe, this.ssthresh, this.mss);
  }

  /** Tells congestion control of the ACK. */
  #inform(
    now: Instant,
    flight: Flight,
    priorInFlight: number,
    acked: number,
    lost: number,
    wasReducing: boolean,
  ): void {
    const { control, rtt, rate } = this;
    const d = deliveries;
    sample.delivered = d.bytes;
    sample.acked = acked;
    sample.lost = lost;
    sample.priorInFlight = priorInFlight;
    sample.inFlight = flight.inFlight;
    sample.rtt = (d.leastRtt < 0 ? 0 : Math.max(1, d.leastRtt)) as Duration;
    sample.smoothedRtt = rtt.srtt as Duration;
    sample.minRtt = rtt.minRtt as Duration;
    sample.inRecovery = wasReducing || (this.repair?.reducing ?? false);
    sample.cwndLimited =
      flight.windowLimited ||
      (control.cwnd < control.ssthresh && control.cwnd < 2 * flight.mostInFlight);
    sample.roundStart = acked > 0 && seqGe(flight.una, flight.roundEnd);
    if (sample.roundStart) {
      flight.roundEnd = flight.nxt;
      flight.mostInFlight = flight.inFlight;
      flight.windowLimited = false;
    }
    if (rate !== null) {
      rate.finish(now, rtt.minRtt);
      sample.deliveryRate = rate.rate;
      sample.appLimited = rate.appLimited;
      sample.roundStart = rate.roundStart;
    }
    control.onAck(now, sample);
  }

  /** Late ACKs: what they tell of probes and of needless retransmissions. */
  #onAckWhenEmpty(now: Instant, ack: Seq, options: TcpOptionIndex, plain: boolean): void {
    if (!this.sack || (options.sackCount === 0 && !this.probe?.active)) return;
    duplicates.readDuplicate(options, ack, ack);
    const { hasDsack, dsackStart, dsackEnd } = duplicates;
    if (hasDsack) this.noteOrder(now, ack, ack, (dsackEnd - dsackStart) | 0, dsackEnd, false);
    if (!this.probe?.active) return;
    this.judgeProbe(now, ack, plain && options.sackCount === 0, hasDsack, dsackEnd, 0);
  }
}
