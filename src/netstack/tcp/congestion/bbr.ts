import { below, type Rng } from "../../../core/random.ts";
import type { Duration, Instant } from "../../../core/time.ts";
import type { AckSample, CongestionControl } from "./congestion-control.ts";
import { initialWindow } from "./initial-window.ts";
import { INFINITE_SSTHRESH } from "./newreno.ts";
import { WindowedMax } from "./windowed-max.ts";

/** 2/ln 2: doubles the rate each round trip. */
const STARTUP_GAIN = 2.885;
const CWND_GAIN = 2;
/** Of the rate, round trip by round trip, in ProbeBW. */
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1];
/** Round trips for which the highest rate holds. */
const RATE_WINDOW = 10;
const MIN_RTT_WINDOW = 10_000_000;
const PROBE_RTT_TIME = 200_000;
/** Segments in flight during ProbeRTT, and at least. */
const MIN_SEGMENTS = 4;
/** Startup ends when the rate has not grown by a quarter for three rounds. */
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;
/** As BBRv3: a round that loses more than this has too much in flight, which is cut to BETA of it. */
const LOSS_THRESHOLD = 0.02;
const BETA = 0.7;
/** ACKs of a round that tell of loss before Startup ends by it (draft-ietf-ccwg-bbr §5.3.1.3). */
const STARTUP_LOSSES = 6;
/** Slightly below the estimate, so that queues drain. */
const PACING_MARGIN = 0.99;
const UNBOUNDED = 0x7fff_ffff;

export type BbrPhase = "startup" | "drain" | "probe-bw" | "probe-rtt";

/**
 * BBR: the machine of version 1 (Startup, Drain, ProbeBW by an eight-phase gain cycle, ProbeRTT; filters
 * of the highest delivery rate and the least round trip), with version 3's answer to loss: a bound on
 * what is in flight, set at 0.7 of it, but never below a BDP, by a round that lost more than 2 %, raised
 * again while probing, and an early end of Startup. An ECN mark is a lossy round. Paced; recovery is not
 * PRR's. README.md goes through it part by part.
 */
export class Bbr implements CongestionControl {
  readonly name = "bbr";
  readonly usesPrr = false;
  readonly samplesRate = true;
  readonly ssthresh = INFINITE_SSTHRESH;
  cwnd: number;
  pacingRate: number;
  phase: BbrPhase = "startup";
  #mss: number;
  readonly #rng: Rng;
  readonly #rates = new WindowedMax(RATE_WINDOW);
  #round = 0;
  #pacingGain = STARTUP_GAIN;
  #cwndGain = STARTUP_GAIN;
  #minRtt = 0;
  #minRttAt = 0;
  #fullRate = 0;
  #fullRounds = 0;
  #filled = false;
  #cycle = 0;
  #cycleAt = 0;
  #probeRttDoneAt = 0;
  #probeRttRound = false;
  #priorCwnd = 0;
  /** What may be in flight at most, by version 3's rule. */
  #inFlightHigh = UNBOUNDED;
  #priorHigh = UNBOUNDED;
  #lostInRound = 0;
  #lossesInRound = 0;
  #deliveredInRound = 0;
  #mostInRound = 0;
  #conserving = false;
  #restarted = false;

  constructor(mss: number, rng: Rng) {
    this.#mss = mss;
    this.#rng = rng;
    this.cwnd = initialWindow(mss);
    // Before the first round trip is known: a millisecond of it.
    this.pacingRate = (STARTUP_GAIN * this.cwnd * 1e6) / 1_000;
  }

  startAt(cwnd: number): void {
    this.cwnd = cwnd;
  }

  onSent(now: Instant, _bytes: number, inFlight: number): void {
    if (inFlight > this.#mostInRound) this.#mostInRound = inFlight;
    if (!this.#restarted) return;
    // After a pause in ProbeBW: at the rate, neither above nor below (draft-ietf-ccwg-bbr §5.4.1).
    this.#restarted = false;
    this.#cycleAt = now;
    if (this.phase === "probe-bw") this.#pace(1);
  }

  onAck(now: Instant, ack: AckSample): void {
    this.#measure(ack);
    this.#judgeLoss(ack);
    if (this.phase === "probe-bw") this.#advanceCycle(now, ack);
    this.#lookForFullPipe(ack);
    this.#drain(now, ack);
    this.#probeRtt(now, ack);
    this.#pace(this.#pacingGain);
    this.#window(ack);
  }

  #measure(ack: AckSample): void {
    if (ack.roundStart) {
      this.#round++;
      this.#conserving = false;
    }
    const rate = ack.deliveryRate;
    if (rate > 0 && (!ack.appLimited || rate >= this.#rates.value)) {
      this.#rates.add(this.#round, rate);
    }
  }

  /** At each round's end: was too much in flight? */
  #judgeLoss(ack: AckSample): void {
    this.#lostInRound += ack.lost;
    if (ack.lost > 0) this.#lossesInRound++;
    this.#deliveredInRound += ack.delivered;
    if (!ack.roundStart) return;
    const lost = this.#lostInRound;
    if (lost > LOSS_THRESHOLD * (lost + this.#deliveredInRound) && lost >= 2 * this.#mss) {
      if (this.phase !== "startup") this.#bound(this.#mostInRound);
      else if (this.#lossesInRound >= STARTUP_LOSSES) {
        this.#bound(this.#mostInRound);
        this.#filled = true;
      }
    } else if (this.#inFlightHigh !== UNBOUNDED && this.#mostInRound >= this.#inFlightHigh * 0.9) {
      // A clean round at the bound: it may grow, by a quarter while probing, by segments else.
      const growth = this.#pacingGain > 1 ? this.#inFlightHigh >> 2 : this.#mss;
      this.#inFlightHigh = Math.min(UNBOUNDED, this.#inFlightHigh + growth);
    }
    this.#lostInRound = 0;
    this.#lossesInRound = 0;
    this.#deliveredInRound = 0;
    this.#mostInRound = ack.inFlight;
  }

  #bound(inFlight: number): void {
    // Never below what the path was seen to carry: random losses do not starve the flow. While probing
    // that is what it tries, or the rate would never rise again.
    const floor = Math.max(this.#bdp(this.#pacingGain > 1 ? 1.25 : 1), MIN_SEGMENTS * this.#mss);
    this.#inFlightHigh = Math.trunc(Math.max(Math.min(inFlight, this.cwnd) * BETA, floor));
  }

  #advanceCycle(now: Instant, ack: AckSample): void {
    const full = now - this.#cycleAt > this.#minRtt;
    const gain = this.#pacingGain;
    let over: boolean;
    if (gain > 1) over = full && (ack.lost > 0 || ack.priorInFlight >= this.#bdp(gain));
    else if (gain < 1) over = full || ack.priorInFlight <= this.#bdp(1);
    else over = full;
    // A bound below what probing aims at ends it, too.
    if (gain > 1 && full && ack.priorInFlight >= this.#inFlightHigh - this.#mss) over = true;
    if (over) this.#enterCycle(now, (this.#cycle + 1) % CYCLE.length);
  }

  #enterCycle(now: Instant, index: number): void {
    this.phase = "probe-bw";
    this.#cycle = index;
    this.#cycleAt = now;
    this.#pacingGain = CYCLE[index]!;
    this.#cwndGain = CWND_GAIN;
  }

  #lookForFullPipe(ack: AckSample): void {
    if (this.#filled || !ack.roundStart || ack.appLimited) return;
    const rate = this.#rates.value;
    if (rate >= this.#fullRate * FULL_GROWTH) {
      this.#fullRate = rate;
      this.#fullRounds = 0;
    } else if (++this.#fullRounds >= FULL_ROUNDS) this.#filled = true;
  }

  #drain(now: Instant, ack: AckSample): void {
    if (this.phase === "startup" && this.#filled) {
      this.phase = "drain";
      this.#pacingGain = 1 / STARTUP_GAIN;
      this.#cwndGain = STARTUP_GAIN;
    }
    if (this.phase !== "drain" || ack.inFlight > this.#bdp(1)) return;
    // Anywhere but in the phase that drains, so that flows do not march in step.
    const start = below(this.#rng, CYCLE.length - 1);
    this.#enterCycle(now, start === 0 ? 0 : start + 1);
  }

  #probeRtt(now: Instant, ack: AckSample): void {
    const expired = this.#minRtt > 0 && now - this.#minRttAt > MIN_RTT_WINDOW;
    if (ack.rtt > 0 && (this.#minRtt === 0 || ack.rtt <= this.#minRtt || expired)) {
      this.#minRtt = ack.rtt;
      this.#minRttAt = now;
    }
    if (expired && this.phase !== "probe-rtt") {
      this.phase = "probe-rtt";
      this.#pacingGain = 1;
      this.#cwndGain = 1;
      this.#priorCwnd = Math.max(this.#priorCwnd, this.cwnd);
      this.#probeRttDoneAt = 0;
    }
    if (this.phase !== "probe-rtt") return;
    if (this.#probeRttDoneAt === 0) {
      if (ack.inFlight > MIN_SEGMENTS * this.#mss) return;
      this.#probeRttDoneAt = now + PROBE_RTT_TIME;
      this.#probeRttRound = false;
      return;
    }
    if (ack.roundStart) this.#probeRttRound = true;
    if (!this.#probeRttRound || now < this.#probeRttDoneAt) return;
    this.#minRttAt = now;
    this.cwnd = Math.max(this.cwnd, this.#priorCwnd);
    this.#priorCwnd = 0;
    if (this.#filled) this.#enterCycle(now, 2);
    else {
      this.phase = "startup";
      this.#pacingGain = STARTUP_GAIN;
      this.#cwndGain = STARTUP_GAIN;
    }
  }

  #pace(gain: number): void {
    const measured = this.#rates.value;
    const rate =
      measured > 0
        ? gain * measured * PACING_MARGIN
        : (STARTUP_GAIN * this.cwnd * 1e6) / Math.max(this.#minRtt, 1_000);
    // Until the pipe is full only faster: a first sample of a short burst says little.
    if (this.#filled || rate > this.pacingRate || this.#round < 2) this.pacingRate = rate;
  }

  #window(ack: AckSample): void {
    const least = MIN_SEGMENTS * this.#mss;
    let cwnd = this.cwnd;
    if (this.#conserving) cwnd = Math.max(cwnd, ack.inFlight + ack.delivered);
    else {
      // Room for ACKs that come in lumps: three of the largest packets (Linux quantises alike).
      const quantum = Math.max(this.#mss, Math.min(65_535, this.pacingRate / 1_000));
      const target = this.#bdp(this.#cwndGain) + 3 * quantum;
      if (this.#filled) cwnd = Math.min(cwnd + ack.delivered, target);
      else if (cwnd < target || ack.roundStart) cwnd += ack.delivered;
      cwnd = Math.min(cwnd, Math.max(this.#inFlightHigh, least));
    }
    if (this.phase === "probe-rtt") cwnd = Math.min(cwnd, least);
    this.cwnd = Math.trunc(Math.max(cwnd, least));
  }

  /** Bandwidth times delay times `gain`, in bytes; the initial window before both are known. */
  #bdp(gain: number): number {
    if (this.#minRtt === 0 || this.#rates.value === 0) return gain * initialWindow(this.#mss);
    return (gain * this.#rates.value * this.#minRtt) / 1e6;
  }

  onCongestion(_now: Instant, cause: "loss" | "ecn", inFlight: number): void {
    this.#priorHigh = this.#inFlightHigh;
    if (cause === "ecn") {
      this.#bound(inFlight);
      return;
    }
    // The first round of a recovery sends what was delivered, no more.
    this.#priorCwnd = Math.max(this.#priorCwnd, this.cwnd);
    this.#conserving = true;
    this.cwnd = Math.max(inFlight, MIN_SEGMENTS * this.#mss);
  }

  onRecovered(_now: Instant): void {
    this.#conserving = false;
    this.#restore();
  }

  onTimeout(_now: Instant, _inFlight: number): void {
    this.#priorHigh = this.#inFlightHigh;
    this.#priorCwnd = Math.max(this.#priorCwnd, this.cwnd);
    this.#fullRate = 0;
    this.#conserving = false;
    this.cwnd = this.#mss;
  }

  onSpurious(_now: Instant): void {
    this.#inFlightHigh = this.#priorHigh;
    this.#conserving = false;
    this.#fullRounds = 0;
    this.#restore();
  }

  #restore(): void {
    if (this.phase === "probe-rtt") return;
    if (this.#priorCwnd > this.cwnd) this.cwnd = Math.min(this.#priorCwnd, this.#inFlightHigh);
    this.#priorCwnd = 0;
  }

  /** A pause is no loss of knowledge: pacing keeps the restart from being a burst. */
  onIdle(_now: Instant, _idle: Duration, _rto: Duration): void {
    this.#restarted = true;
  }

  onMss(mss: number): void {
    this.#mss = mss;
    if (this.cwnd < mss) this.cwnd = mss;
  }
}
