import type { Duration, Instant } from "../../../core/time.ts";
import type { AckSample, CongestionControl } from "./congestion-control.ts";
import { CSS_GROWTH_DIVISOR, HyStart } from "./hystart.ts";
import { initialWindow } from "./initial-window.ts";
import { INFINITE_SSTHRESH } from "./newreno.ts";

/** RFC 9438 §4.1, §5: segments per second cubed. */
const C = 0.4;
const BETA = 0.7;
/** §4.3: makes the Reno-friendly window as fast as AIMD(1, 0.5). */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);
/** RFC 9406 §4.3, without pacing: segments of growth for one ACK; a packet to the device counts as one. */
const ABC_LIMIT = 8;
/** RFC 9438 §4.2: the window aims at most at this many times itself. */
const MAX_TARGET = 1.5;

/** What an event changed, for when it turns out to have been none. */
class Saved {
  cwnd = 0;
  ssthresh = 0;
  windowMax = 0;
  k = 0;
  epoch = -1;
  reno = 0;
}

/** CUBIC (RFC 9438) with HyStart++ (RFC 9406); windows in bytes. */
export class Cubic implements CongestionControl {
  cwnd: number;
  ssthresh = INFINITE_SSTHRESH;
  #mss: number;
  /** W_max, W_est, and the time K in which the window reaches W_max again, in seconds. */
  #windowMax = 0;
  #reno = 0;
  #k = 0;
  /** Start of this congestion avoidance; -1: the next ACK begins it. */
  #epoch = -1;
  #lastAck = 0;
  /** Of growth, less than a byte. */
  #fraction = 0;
  /** The largest packet of late. */
  #packet = 0;
  #hystart: HyStart | null = null;
  #saved: Saved | null = null;

  constructor(mss: number) {
    this.#mss = mss;
    this.cwnd = initialWindow(mss);
  }

  get name(): "cubic" {
    return "cubic";
  }

  get usesPrr(): boolean {
    return true;
  }

  get samplesRate(): boolean {
    return false;
  }

  get pacingRate(): number {
    return 0;
  }

  startAt(cwnd: number): void {
    this.cwnd = cwnd;
  }

  onSent(_now: Instant, bytes: number, _inFlight: number): void {
    if (bytes > this.#packet) this.#packet = bytes;
  }

  onAck(now: Instant, ack: AckSample): void {
    const idle = now - this.#lastAck;
    this.#lastAck = now;
    if (ack.inRecovery) return;
    if (!ack.cwndLimited) {
      // §5.8: while the application limits, no time passes for the curve.
      if (this.#epoch >= 0) this.#epoch += idle;
      return;
    }
    if (this.cwnd < this.ssthresh) this.#slowStart(ack);
    else this.#avoid(now, ack);
  }

  #slowStart(ack: AckSample): void {
    const hystart = this.#watch();
    if (hystart?.onAck(ack)) {
      this.ssthresh = this.cwnd;
      this.#hystart = null;
      return;
    }
    const most = ABC_LIMIT * Math.max(this.#mss, this.#packet);
    const growth = ack.delivered < most ? ack.delivered : most;
    this.cwnd +=
      hystart?.phase === "conservative" ? Math.trunc(growth / CSS_GROWTH_DIVISOR) : growth;
    if (this.cwnd > this.ssthresh) this.cwnd = this.ssthresh;
  }

  /** RFC 9406 §4.3: in the first slow start only, while nothing is known of the path. */
  #watch(): HyStart | null {
    if (this.ssthresh !== INFINITE_SSTHRESH) return null;
    return this.#hystart ?? (this.#hystart = new HyStart());
  }

  /** §4.2 – §4.5. */
  #avoid(now: Instant, ack: AckSample): void {
    if (this.#epoch < 0) this.#begin(now);
    const { cwnd } = this;
    const mss = this.#mss;
    const t = (now - this.#epoch) / 1e6;
    // §4.3: after W_est has passed the window of the last event, it grows like Reno.
    const alpha = this.#reno >= this.#priorCwnd() ? 1 : ALPHA;
    this.#reno += (alpha * ack.delivered * mss) / cwnd;
    const offset = t - this.#k;
    const cubic = C * mss * offset * offset * offset + this.#windowMax;
    if (cubic < this.#reno) {
      this.cwnd = Math.max(cwnd, Math.trunc(this.#reno));
      return;
    }
    const ahead = offset + ack.smoothedRtt / 1e6;
    const aim = C * mss * ahead * ahead * ahead + this.#windowMax;
    const target = aim < cwnd ? cwnd : Math.min(aim, MAX_TARGET * cwnd);
    // A window's worth of ACKs brings it to the target; whole bytes, the rest is carried by the curve.
    this.#grow(((target - cwnd) * ack.delivered) / cwnd);
  }

  #grow(bytes: number): void {
    const sum = this.#fraction + bytes;
    const whole = Math.trunc(sum);
    this.#fraction = sum - whole;
    this.cwnd += whole;
  }

  #begin(now: Instant): void {
    this.#epoch = now;
    this.#reno = this.cwnd;
    this.#fraction = 0;
    if (this.#windowMax <= this.cwnd) {
      // §4.8: congestion avoidance without an event before it starts in the convex region.
      this.#windowMax = this.cwnd;
      this.#k = 0;
    } else {
      this.#k = Math.cbrt((this.#windowMax - this.cwnd) / this.#mss / C);
    }
  }

  #priorCwnd(): number {
    return this.#saved === null ? 0 : this.#saved.cwnd;
  }

  onCongestion(_now: Instant, _cause: "loss" | "ecn", inFlight: number): void {
    this.#reduce(inFlight);
    this.cwnd = Math.min(this.cwnd, this.ssthresh);
  }

  onRecovered(_now: Instant): void {
    this.#epoch = -1;
  }

  /** §4.8. */
  onTimeout(_now: Instant, inFlight: number): void {
    this.#reduce(inFlight);
    this.cwnd = this.#mss;
    this.#packet = this.#mss;
    this.#windowMax = 0; // what comes next starts where slow start ends, with K = 0
  }

  /** §4.6, §4.7. */
  #reduce(inFlight: number): void {
    const saved = this.#saved ?? (this.#saved = new Saved());
    saved.cwnd = this.cwnd;
    saved.ssthresh = this.ssthresh;
    saved.windowMax = this.#windowMax;
    saved.k = this.#k;
    saved.epoch = this.#epoch;
    saved.reno = this.#reno;
    // Fast convergence: a window below the last maximum makes room for newer flows.
    this.#windowMax =
      this.cwnd < this.#windowMax ? Math.trunc((this.cwnd * (1 + BETA)) / 2) : this.cwnd;
    this.ssthresh = Math.max(Math.trunc(Math.min(inFlight, this.cwnd) * BETA), 2 * this.#mss);
    this.#epoch = -1;
    this.#hystart = null;
  }

  /** §4.9. */
  onSpurious(_now: Instant): void {
    const saved = this.#saved;
    if (saved === null || saved.cwnd === 0) return;
    this.cwnd = Math.max(this.cwnd, saved.cwnd);
    this.ssthresh = Math.max(this.ssthresh, saved.ssthresh);
    this.#windowMax = saved.windowMax;
    this.#k = saved.k;
    this.#epoch = saved.epoch;
    this.#reno = saved.reno;
    saved.cwnd = 0;
  }

  onIdle(_now: Instant, idle: Duration, rto: Duration): void {
    // §5.8: the curve stands still meanwhile.
    if (this.#epoch >= 0) this.#epoch += idle;
    this.#lastAck += idle;
    if (idle <= rto) return;
    // RFC 5681 §4.1; RFC 7661 §4.3: what was learnt of the path stays in ssthresh.
    if (this.cwnd <= initialWindow(this.#mss)) return;
    this.ssthresh = Math.max(this.ssthresh, Math.trunc((this.cwnd * 3) / 4));
    this.cwnd = Math.min(this.cwnd, initialWindow(this.#mss));
    this.#epoch = -1;
  }

  onMss(mss: number): void {
    this.#mss = mss;
    if (this.cwnd < mss) this.cwnd = mss;
  }
}
