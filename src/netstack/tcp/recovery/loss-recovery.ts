import type { Rng } from "../../../core/random.ts";
import type { Duration, Instant } from "../../../core/time.ts";
import { type Seq, seqGe, seqGt } from "../../../wire/seq.ts";
import type { TcpOptionIndex } from "../../../wire/tcp-options.ts";
import { AckSample, type CongestionControl } from "../congestion/congestion-control.ts";
import { NewReno } from "../congestion/newreno.ts";
import type { TcpSettings } from "../settings.ts";
import { RttEstimator } from "./rtt-estimator.ts";
import { giveSegment, type SentSegment, takeSegment } from "./sent-segment.ts";

/** "No deadline". */
export const FOREVER = Number.MAX_SAFE_INTEGER as Instant;

/** What was negotiated in the handshake. */
export interface NegotiatedOptions {
  readonly sack: boolean;
  readonly timestamps: boolean;
  /** Bytes of payload of one segment, options of every segment taken off. */
  readonly mss: number;
}

/**
 * What `handleTimeout` found: `none`: nothing is due, or pacing lets data out again · `probe`: send a
 * tail loss probe (see `probeDue`) · `lost`: segments were found lost, see `nextRetransmission` ·
 * `rto`: the retransmission timer expired, likewise; `backoff` tells how often in a row.
 */
export type TimeoutOutcome = "none" | "probe" | "lost" | "rto";

/** Sample of the ACK at hand; shared, as only one ACK is processed at a time. */
const sample = new AckSample();

/**
 * The sender's brain: what was lost, what may be sent, when to look again. The connection owns bytes,
 * sequence numbers and the peer's window; it reports what it sent and what was acknowledged.
 *
 * Drain: after `onAck` and after `handleTimeout`, whatever it returned, poll for transmission:
 *  1. if `probeDue`: send one segment of new data if the peer's window lets it, else the bytes of
 *     `probeSegment()`, and report either with `onProbeSent`;
 *  2. while `nextRetransmission(…)` gives a segment: send its first bytes, report with `onRetransmitted`;
 *  3. while the peer's window and `sendAllowance(…)` allow: send new data, report with `onSent`;
 * then set the timer to `nextTimeout()`. Zero-window probes, keep-alives and pure ACKs are not reported.
 * A SYN and a FIN are (each takes a number); a FIN may go without asking for allowance.
 */
export class LossRecovery {
  readonly rtt: RttEstimator;
  readonly congestion: CongestionControl;
  /** Consecutive expiries of the retransmission timer without progress. */
  backoff = 0;
  /** A tail loss probe is to be sent; false again after `onProbeSent`. */
  probeDue = false;
  inFlight = 0;
  #mss: number;
  #head: SentSegment | null = null;
  #tail: SentSegment | null = null;
  #rtoAt: Instant = FOREVER;

  /** `mss`: payload bytes of a segment; `iss`: number of the SYN. The RNG is for BBR's probing alone. */
  constructor(_rng: Rng, settings: TcpSettings, mss: number, _iss: Seq) {
    this.rtt = new RttEstimator(settings);
    this.congestion = new NewReno(mss);
    this.#mss = mss;
  }

  /** Once, when the handshake has told what both sides can. Starts with the initial window of RFC 6928. */
  configure(options: NegotiatedOptions): void {
    this.onMss(options.mss);
  }

  /** The handshake's round trip, or null when the SYN (or SYN+ACK) was sent more than once. */
  onHandshakeRtt(now: Instant, rtt: Duration | null): void {
    if (rtt === null) this.rtt.onSynLost();
    else this.rtt.onSample(now, rtt);
  }

  get cwnd(): number {
    return this.congestion.cwnd;
  }

  get ssthresh(): number {
    return this.congestion.ssthresh;
  }

  /** Everything that was sent has been acknowledged. */
  get isEmpty(): boolean {
    return this.#head === null;
  }

  /**
   * [start, end) went out for the first time, at most 64 KiB. `appLimited`: the connection had nothing
   * more to send behind it.
   */
  onSent(now: Instant, start: Seq, end: Seq, _appLimited: boolean): void {
    const segment = takeSegment();
    segment.start = start;
    segment.end = end;
    segment.sentAt = now;
    segment.previous = this.#tail;
    if (this.#tail === null) this.#head = segment;
    else this.#tail.next = segment;
    this.#tail = segment;
    this.inFlight += segment.length;
    if (this.#rtoAt === FOREVER) this.#armRto(now);
  }

  /**
   * What to send again now, lowest number first, or null. Send a packet of [start, min(end, start + n)),
   * then call `onRetransmitted` and ask again. `newDataReady`: there are unsent data that the peer's
   * window admits (F-RTO and RFC 6675's NextSeg prefer them at times).
   */
  nextRetransmission(_now: Instant, _newDataReady: boolean): SentSegment | null {
    if (this.inFlight >= this.cwnd) return null;
    for (let s = this.#head; s !== null; s = s.next) if (s.lost) return s;
    return null;
  }

  /** [segment.start, end) went out again. The segment is split when that is not all of it. */
  onRetransmitted(now: Instant, segment: SentSegment, end: Seq): void {
    if (end !== segment.end) {
      const rest = takeSegment();
      rest.start = end;
      rest.end = segment.end;
      rest.lost = segment.lost;
      rest.sentAt = segment.sentAt;
      rest.transmissions = segment.transmissions;
      rest.previous = segment;
      rest.next = segment.next;
      if (segment.next === null) this.#tail = rest;
      else segment.next.previous = rest;
      segment.next = rest;
      segment.end = end;
    }
    segment.lost = false;
    segment.transmissions++;
    segment.sentAt = now;
    this.inFlight += segment.length;
  }

  /**
   * Bytes of new data that congestion window and pacing let out now, a multiple of the segment size, or
   * 0. Ask only with data at hand that the peer's window admits. `maxPacket`: payload bytes that one
   * packet can carry: with more than a segment, small allowances are held back for a larger packet.
   */
  sendAllowance(_now: Instant, _maxPacket: number): number {
    const room = this.cwnd - this.inFlight;
    return room < this.#mss ? 0 : room - (room % this.#mss);
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
    _options: TcpOptionIndex,
    _dataLength: number,
    _windowChanged: boolean,
    _ece: boolean,
    _rttFromTimestamp: Duration,
  ): void {
    if (!seqGt(ack, previousUna)) return;
    const prior = this.inFlight;
    for (let s = this.#head; s !== null && seqGe(ack, s.start); ) {
      const whole = seqGe(ack, s.end);
      if (!s.lost) this.inFlight -= whole ? s.length : (ack - s.start) | 0;
      if (s.transmissions === 1) this.rtt.onSample(now, (now - s.sentAt) as Duration);
      if (!whole) {
        s.start = ack;
        break;
      }
      this.#head = s.next;
      giveSegment(s);
      s = this.#head;
    }
    if (this.#head === null) this.#tail = null;
    else this.#head.previous = null;
    this.backoff = 0;
    sample.delivered = (ack - previousUna) | 0;
    sample.priorInFlight = prior;
    sample.inFlight = this.inFlight;
    sample.cwndLimited = true;
    this.congestion.onAck(now, sample);
    if (this.#head === null) this.#rtoAt = FOREVER;
    else this.#armRto(now);
  }

  /** The bytes for a tail loss probe when there are no new ones: the last segment, or null. */
  probeSegment(): SentSegment | null {
    return this.#tail;
  }

  /** [start, end) went out as a probe: new data, or the last segment's again. */
  onProbeSent(_now: Instant, _start: Seq, _end: Seq): void {
    this.probeDue = false;
  }

  /** The earliest deadline, or FOREVER. */
  nextTimeout(): Instant {
    return this.#rtoAt;
  }

  handleTimeout(now: Instant): TimeoutOutcome {
    if (now < this.#rtoAt) return "none";
    for (let s = this.#head; s !== null; s = s.next) s.lost = true;
    if (this.backoff === 0) this.congestion.onTimeout(now, this.inFlight);
    this.inFlight = 0;
    this.backoff++;
    this.#armRto(now);
    return "rto";
  }

  /** The segment size changed, as timestamps or the path demand. */
  onMss(mss: number): void {
    this.#mss = mss;
    this.congestion.onMss(mss);
  }

  /** ICMP said "too big": what is larger than the new size is sent again, without blame (RFC 8201 §4). */
  onPathMtuReduced(_now: Instant, mss: number): void {
    this.onMss(mss);
  }

  #armRto(now: Instant): void {
    this.#rtoAt = (now + this.rtt.backedOff(this.backoff)) as Instant;
  }
}
