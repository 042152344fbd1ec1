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

/** What congestion avoidance needs; made when it begins, or at the first event. */
class Curve {
  /** W_max, W_est, and the time K in which the window reaches W_max again, in seconds. */
  windowMax = 0;
  reno = 0;
  k = 0;
  /** Start of this congestion avoidance; -1: the next ACK begins it. */
  epoch = -1;
  lastAck = 0;
  /** Of growth, less than a byte. */
  fraction = 0;
  saved: Saved | null = null;
}

/** CUBIC (RFC 9438) with HyStart++ (RFC 9406); windows in bytes. */
export class Cubic implements CongestionControl {
  cwnd: number;
  ssthresh = INFINITE_SSTHRESH;
  #mss: number;
  /** The largest packet of late. */
  #packet = 0;
  #hystart: HyStart | null = null;
  #curve: Curve | null = null;

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
    const curve = this.#curve;
    if (curve !== null) {
      // §5.8: while the application limits, no time passes for the curve.
      if (!ack.inRecovery && !ack.cwndLimited && curve.epoch >= 0) {
        curve.epoch += now - curve.lastAck;
      }
      curve.lastAck = now;
    }
    if (ack.inRecovery || !ack.cwndLimited) return;
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
    const curve = this.#drawn();
    if (curve.epoch < 0) this.#begin(now, curve);
    const { cwnd } = this;
    const mss = this.#mss;
    const t = (now - curve.epoch) / 1e6;
    // §4.3: after W_est has passed the window of the last event, it grows like Reno.
    const priorCwnd = curve.saved === null ? 0 : curve.saved.cwnd;
    const alpha = curve.reno >= priorCwnd ? 1 : ALPHA;
    curve.reno += (alpha * ack.delivered * mss) / cwnd;
    const offset = t - curve.k;
    const cubic = C * mss * offset * offset * offset + curve.windowMax;
    if (cubic < curve.reno) {
      this.cwnd = Math.max(cwnd, Math.trunc(curve.reno));
      return;
    }
    const ahead = offset + ack.smoothedRtt / 1e6;
    const aim = C * mss * ahead * ahead * ahead + curve.windowMax;
    const target = aim < cwnd ? cwnd : Math.min(aim, MAX_TARGET * cwnd);
    // A window's worth of ACKs brings it to the target; whole bytes, the rest is carried by the curve.
    const sum = curve.fraction + ((target - cwnd) * ack.delivered) / cwnd;
    const whole = Math.trunc(sum);
    curve.fraction = sum - whole;
    this.cwnd += whole;
  }

  #drawn(): Curve {
    return this.#curve ?? (this.#curve = new Curve());
  }

  #begin(now: Instant, curve: Curve): void {
    curve.epoch = now;
    curve.lastAck = now;
    curve.reno = this.cwnd;
    curve.fraction = 0;
    if (curve.windowMax <= this.cwnd) {
      // §4.8: congestion avoidance without an event before it starts in the convex region.
      curve.windowMax = this.cwnd;
      curve.k = 0;
    } else {
      curve.k = Math.cbrt((curve.windowMax - this.cwnd) / this.#mss / C);
    }
  }

  onCongestion(_now: Instant, _cause: "loss" | "ecn", inFlight: number): void {
    this.#reduce(inFlight);
    this.cwnd = Math.min(this.cwnd, this.ssthresh);
  }

  onRecovered(_now: Instant): void {
    if (this.#curve !== null) this.#curve.epoch = -1;
  }

  /** §4.8. */
  onTimeout(_now: Instant, inFlight: number): void {
    const curve = this.#reduce(inFlight);
    this.cwnd = this.#mss;
    this.#packet = this.#mss;
    curve.windowMax = 0; // what comes next starts where slow start ends, with K = 0
  }

  /** §4.6, §4.7. */
  #reduce(inFlight: number): Curve {
    const curve = this.#drawn();
    const saved = curve.saved ?? (curve.saved = new Saved());
    saved.cwnd = this.cwnd;
    saved.ssthresh = this.ssthresh;
    saved.windowMax = curve.windowMax;
    saved.k = curve.k;
    saved.epoch = curve.epoch;
    saved.reno = curve.reno;
    // Fast convergence: a window below the last maximum makes room for newer flows.
    curve.windowMax =
      this.cwnd < curve.windowMax ? Math.trunc((this.cwnd * (1 + BETA)) / 2) : this.cwnd;
    this.ssthresh = Math.max(Math.trunc(Math.min(inFlight, this.cwnd) * BETA), 2 * this.#mss);
    curve.epoch = -1;
    this.#hystart = null;
    return curve;
  }

  /** §4.9. */
  onSpurious(_now: Instant): void {
    const curve = this.#curve;
    const saved = curve?.saved ?? null;
    if (curve === null || saved === null || saved.cwnd === 0) return;
    this.cwnd = Math.max(this.cwnd, saved.cwnd);
    this.ssthresh = Math.max(this.ssthresh, saved.ssthresh);
    curve.windowMax = saved.windowMax;
    curve.k = saved.k;
    curve.epoch = saved.epoch;
    curve.reno = saved.reno;
    saved.cwnd = 0;
  }

  onIdle(_now: Instant, idle: Duration, rto: Duration): void {
    const curve = this.#curve;
    if (curve !== null) {
      // §5.8: the curve stands still meanwhile.
      if (curve.epoch >= 0) curve.epoch += idle;
      curve.lastAck += idle;
    }
    if (idle <= rto) return;
    // RFC 5681 §4.1; RFC 7661 §4.3: what was learnt of the path stays in ssthresh.
    if (this.cwnd <= initialWindow(this.#mss)) return;
    this.ssthresh = Math.max(this.ssthresh, Math.trunc((this.cwnd * 3) / 4));
    this.cwnd = Math.min(this.cwnd, initialWindow(this.#mss));
    if (curve !== null) curve.epoch = -1;
  }

  onMss(mss: number): void {
    this.#mss = mss;
    if (this.cwnd < mss) this.cwnd = mss;
  }
}
