import type { Rng } from "../../../core/random.ts";
import type { Instant } from "../../../core/time.ts";
import { type Seq, seqAdd, seqGe, seqGt } from "../../../wire/seq.ts";
import { chooseCongestionControl } from "../congestion/choice.ts";
import type { CongestionControl } from "../congestion/congestion-control.ts";
import type { TcpSettings } from "../settings.ts";
import { Deliveries } from "./deliveries.ts";
import type { DeliveryRate } from "./delivery-rate.ts";
import { markByThreshold } from "./dup-threshold.ts";
import { DUPLICATE_THRESHOLD } from "./duplicate-acks.ts";
import { type Flight, FOREVER } from "./flight.ts";
import type { Pacer } from "./pacer.ts";
import { ReorderingWindow, reorderingWindow } from "./reordering-window.ts";
import { Repair, type RepairState } from "./repair.ts";
import { RttEstimator } from "./rtt-estimator.ts";
import { probeTimeout, type TailProbe } from "./tail-probe.ts";

/** Consecutive timeouts after which nothing that the peer once SACKed is believed (RFC 2018 §8). */
const RENEGE_AFTER = 3;

/** What the ACK at hand delivered; shared, as only one is processed at a time. */
export const deliveries = new Deliveries();

/**
 * The state of a sender's recovery and its transitions: what is found lost, what that does to the
 * window, and what takes it back. LossRecovery adds the calls of the connection.
 */
export class LossResponse {
  readonly rtt: RttEstimator;
  /** Consecutive expiries of the retransmission timer without progress. */
  backoff = 0;
  /** A tail loss probe is to be sent; false again after `onProbeSent`. */
  probeDue = false;
  /** The window was reduced since this was last cleared: set CWR on the next new data (RFC 3168 §6.1.2). */
  windowReduced = false;
  protected control: CongestionControl;
  protected mss: number;
  protected sack = false;
  protected established = false;
  /** Doublings of the timeout, kept until there is a new sample (RFC 6298 §5.5 – 5.7). */
  protected doublings = 0;
  protected flight: Flight | null = null;
  protected repair: Repair | null = null;
  protected reordering: ReorderingWindow | null = null;
  protected probe: TailProbe | null = null;
  protected rate: DeliveryRate | null = null;
  protected pacer: Pacer | null = null;
  protected readonly settings: TcpSettings;

  protected constructor(rng: Rng, settings: TcpSettings, mss: number) {
    this.rtt = new RttEstimator(settings);
    this.settings = settings;
    this.mss = mss;
    this.control = chooseCongestionControl(settings.congestion, mss, rng);
  }

  get congestion(): CongestionControl {
    return this.control;
  }

  /** The window of this moment: PRR's while it comes down. */
  get cwnd(): number {
    const repair = this.repair;
    return repair?.reducing && this.control.usesPrr ? repair.prr.cwnd : this.control.cwnd;
  }

  get ssthresh(): number {
    return this.control.ssthresh;
  }

  /** Bytes sent and neither acknowledged, SACKed nor deemed lost (RFC 6675: pipe). */
  get inFlight(): number {
    return this.flight === null ? 0 : this.flight.inFlight;
  }

  /** Everything that was sent has been acknowledged. */
  get isEmpty(): boolean {
    return this.flight === null;
  }

  /** The latest estimate in bytes a second, 0 where none is made. */
  get deliveryRate(): number {
    return this.rate === null ? 0 : this.rate.rate;
  }

  get state(): RepairState {
    return this.repair === null ? "open" : this.repair.state;
  }

  /** Marks what is lost by now; returns its bytes. */
  protected detect(now: Instant, flight: Flight): number {
    const { board, rack } = flight;
    const before = board.lostBytes;
    if (!this.sack) this.#detectByDuplicates(flight);
    else if (!this.settings.rack) {
      if (board.sackedBytes > 0) markByThreshold(board, this.mss);
    } else {
      flight.reorderAt = FOREVER;
      const oldest = board.oldest;
      if (oldest !== null && oldest.order <= rack.order) {
        const at = rack.detect(now, board, this.#reorderingWindow(flight));
        if (at > 0) flight.reorderAt = at as Instant;
      }
    }
    return board.lostBytes - before;
  }

  /** RFC 6582: the third duplicate, and each partial ACK in recovery, say that the first segment is lost. */
  #detectByDuplicates(flight: Flight): void {
    const { board, duplicates } = flight;
    const head = board.head;
    const repair = this.repair;
    if (head === null || head.lost || head.retransmitted) return;
    if (repair?.state === "recovery") {
      if (!seqGt(repair.recoveryPoint, head.start)) return;
    } else {
      if (duplicates.count < DUPLICATE_THRESHOLD) return;
      // RFC 6582 §3.2 step 2: duplicates of what the last recovery sent again begin none.
      if (repair !== null && !seqGt(flight.una, repair.recoveryPoint)) return;
    }
    if (head.length > this.mss) board.split(head, seqAdd(head.start, this.mss));
    board.lose(head);
  }

  #reorderingWindow(flight: Flight): number {
    const { sackedBytes, sackedRuns } = flight.board;
    const { state } = this;
    const eager =
      state === "recovery" ||
      state === "loss" ||
      sackedBytes >= DUPLICATE_THRESHOLD * this.mss ||
      sackedRuns >= DUPLICATE_THRESHOLD;
    return reorderingWindow(this.reordering, eager, this.rtt.minRtt, this.rtt.srtt);
  }

  /** Something was found lost; `flightSize` as before the ACK or timer that told. */
  protected enterRecovery(now: Instant, flight: Flight, flightSize: number): void {
    const { state } = this;
    if (state === "recovery" || state === "loss") return;
    const repair = this.repair ?? (this.repair = new Repair());
    repair.begin("recovery", flight.nxt, "off");
    flight.probeAt = FOREVER;
    this.probeDue = false;
    if (this.probe !== null) this.probe.active = false;
    // RFC 3168 §6.1.2: once per window, whether loss or mark.
    if (state === "cwr") repair.undoable = false;
    else this.#reduce(now, repair, "loss", flightSize);
  }

  /** RFC 3168 §6.1.2. */
  protected enterCwr(now: Instant, flight: Flight, flightSize: number): void {
    const repair = this.repair ?? (this.repair = new Repair());
    repair.begin("cwr", flight.nxt, "off");
    repair.undoable = false;
    this.#reduce(now, repair, "ecn", flightSize);
  }

  #reduce(now: Instant, repair: Repair, cause: "loss" | "ecn", flightSize: number): void {
    this.control.onCongestion(now, cause, flightSize);
    repair.prr.begin(flightSize);
    this.windowReduced = true;
  }

  /** The retransmission timer expired. */
  protected onRto(now: Instant, flight: Flight): void {
    const { board } = flight;
    const { state } = this;
    this.backoff++;
    this.doublings++;
    this.probeDue = false;
    flight.probeAt = FOREVER;
    flight.reorderAt = FOREVER;
    if (this.probe !== null) this.probe.active = false;
    const flightSize = this.flightSize(flight);
    flight.duplicates.reset();
    if (board.head?.sacked || this.backoff >= RENEGE_AFTER) {
      board.renege();
      flight.sacks.reset();
    }
    board.loseAll();
    this.armRto(now, flight);
    if (!this.established) return; // a SYN: there is no window yet
    const repair = this.repair ?? (this.repair = new Repair());
    // RFC 5681 §3.1: a segment that times out again does not lower ssthresh again.
    if (state !== "loss" || this.backoff === 1) {
      this.control.onTimeout(now, flightSize);
      this.windowReduced = true;
      // RFC 5682 §2.1 step 1: not within a recovery.
      const frto = state === "open" || state === "cwr" ? "first-ack" : "off";
      repair.begin("loss", flight.nxt, frto);
    } else repair.frto = "first-ack";
  }

  /** What an ACK means for the recovery under way. */
  protected progress(
    now: Instant,
    repair: Repair,
    flight: Flight,
    advanced: boolean,
    duplicate: boolean,
    echoedRtt: number,
  ): void {
    if (advanced && repair.state !== "cwr" && repair.eifel(now, echoedRtt)) {
      this.undo(now, repair, flight);
      return;
    }
    if (repair.frto !== "off" && this.#spuriousTimeout(repair, advanced, duplicate)) {
      this.undo(now, repair, flight);
      return;
    }
    if (!seqGe(flight.una, repair.recoveryPoint)) return;
    // RFC 6582 §3.2 step 2: without SACK, stay until something sent later is acknowledged, as duplicates
    // of what was sent again would begin another recovery.
    const passed = this.sack || repair.state !== "recovery" || flight.board.head === null;
    if (!passed && !seqGt(flight.una, repair.recoveryPoint)) return;
    repair.end();
    flight.duplicates.reset();
    this.control.onRecovered(now);
    this.reordering?.onRecovered();
  }

  /** F-RTO (RFC 5682 §2.1, §3.1): does this ACK show that the original transmissions arrive? */
  #spuriousTimeout(repair: Repair, advanced: boolean, duplicate: boolean): boolean {
    if (this.sack) {
      if (deliveries.originals > 0) return true;
      if (!advanced && deliveries.bytes === 0) return false;
    } else if (advanced && repair.frto === "second-ack") return true;
    if (advanced) repair.frto = repair.frto === "first-ack" ? "new-data" : "off";
    else if (duplicate || deliveries.bytes > 0) repair.frto = "off";
    return false;
  }

  /** The last congestion event was none (RFC 4015, RFC 5682 §3.4). */
  protected undo(now: Instant, repair: Repair, flight: Flight | null): void {
    if (repair.state === "recovery") {
      // What was late was reordered, though its record says "sent twice".
      this.reordering ??= new ReorderingWindow();
      this.reordering.seen = true;
    }
    repair.undoable = false;
    if (repair.state !== "open") {
      flight?.board.unlose();
      flight?.duplicates.reset();
      repair.end();
    }
    this.doublings = 0;
    this.control.onSpurious(now);
  }

  /** Learns of reordering and of duplicates (RFC 8985 §6.2 steps 3 and 4, RFC 2883). */
  protected noteOrder(
    now: Instant,
    una: Seq,
    nxt: Seq,
    dsackBytes: number,
    dsackEnd: Seq,
    reordered: boolean,
  ): void {
    if (reordered || dsackBytes > 0) this.reordering ??= new ReorderingWindow();
    if (reordered) this.reordering!.seen = true;
    const { probe, repair } = this;
    if (dsackBytes === 0) {
      this.reordering?.onAck(una);
      return;
    }
    // A duplicate that a probe made tells nothing about the path.
    if (probe?.active && probe.retransmission && probe.end === dsackEnd) return;
    this.reordering!.onDuplicate(una, nxt);
    if (repair?.duplicated(dsackBytes)) this.undo(now, repair, this.flight);
  }

  /** RFC 8985 §7.4. */
  protected judgeProbe(
    now: Instant,
    ack: Seq,
    duplicate: boolean,
    hasDsack: boolean,
    dsackEnd: Seq,
    flightSize: number,
  ): void {
    if (!this.probe!.onAck(ack, duplicate, hasDsack, dsackEnd) || this.state !== "open") return;
    this.control.onCongestion(now, "loss", flightSize);
    this.control.onRecovered(now);
    this.windowReduced = true;
  }

  /** Without SACK. */
  protected countDuplicate(flight: Flight, duplicate: boolean, acked: number): void {
    const d = deliveries;
    const { duplicates, board } = flight;
    const repairing = this.state === "recovery" || this.state === "loss";
    if (acked > 0) d.bytes = duplicates.onAdvance(acked, this.mss, repairing);
    else if (duplicate) d.bytes += duplicates.onDuplicate(this.mss, board.inFlight - this.mss);
    if (duplicates.bytes > board.inFlight) duplicates.bytes = board.inFlight;
  }

  /** Karn's rule (RFC 6298 §3): nothing of what was sent twice, but for the timestamps' word. */
  protected takeRtt(now: Instant, advanced: boolean, echoedRtt: number): void {
    const d = deliveries;
    const rtt = d.ambiguous || d.rtt < 0 ? d.sackRtt : d.rtt;
    if (rtt >= 0) this.rtt.onSample(now, rtt, d.leastRtt);
    else if (advanced && echoedRtt >= 0) this.rtt.onCoarseSample(now, echoedRtt);
    else return;
    this.doublings = 0;
  }

  /** FlightSize of RFC 5681, without what SACKs let out beyond the window. */
  protected flightSize(flight: Flight): number {
    return Math.max(flight.inFlight, Math.min(flight.outstanding, this.cwnd));
  }

  protected armRto(now: Instant, flight: Flight): void {
    flight.rtoAt = (now + this.rtt.backedOff(this.doublings)) as Instant;
  }

  /** RFC 8985 §7.2: in the open state, with nothing SACKed, a peer that SACKs, and no probe out. */
  protected armProbe(now: Instant, flight: Flight): void {
    const { board } = flight;
    if (
      !this.sack ||
      !this.settings.rack ||
      board.lostBytes + board.sackedBytes > 0 ||
      this.state !== "open" ||
      this.probe?.active
    ) {
      flight.probeAt = FOREVER;
      return;
    }
    const at = now + probeTimeout(this.rtt.srtt, board.inFlight <= this.mss);
    flight.probeAt = (at < flight.rtoAt ? at : flight.rtoAt) as Instant;
  }
}
