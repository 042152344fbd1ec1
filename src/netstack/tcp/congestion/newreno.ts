import type { Duration, Instant } from "../../../core/time.ts";
import type { AckSample, CongestionControl } from "./congestion-control.ts";
import { initialWindow } from "./initial-window.ts";

/**
 * RFC 3465 §2.3: at most so many segments of growth for one ACK in slow start, and one after a timeout.
 * What went to the device as one packet, of up to 64 KiB, is acknowledged as one and counts as one.
 */
const ABC_LIMIT = 2;
export const INFINITE_SSTHRESH = 0x7fff_ffff;

/** RFC 5681 with byte counting (RFC 3465). */
export class NewReno implements CongestionControl {
  readonly name = "newreno";
  readonly usesPrr = true;
  readonly samplesRate = false;
  readonly pacingRate = 0;
  cwnd: number;
  ssthresh = INFINITE_SSTHRESH;
  #mss: number;
  /** Bytes acknowledged towards the next segment of growth. */
  #counted = 0;
  /** The largest packet of late. */
  #packet = 0;
  #afterTimeout = false;
  #priorCwnd = 0;
  #priorSsthresh = 0;

  constructor(mss: number) {
    this.#mss = mss;
    this.cwnd = initialWindow(mss);
  }

  startAt(cwnd: number): void {
    this.cwnd = cwnd;
  }

  onSent(_now: Instant, bytes: number, _inFlight: number): void {
    if (bytes > this.#packet) this.#packet = bytes;
  }

  onAck(_now: Instant, ack: AckSample): void {
    if (ack.inRecovery || !ack.cwndLimited) return;
    if (this.cwnd < this.ssthresh) {
      const limit = (this.#afterTimeout ? 1 : ABC_LIMIT) * Math.max(this.#mss, this.#packet);
      this.cwnd = Math.min(this.cwnd + Math.min(ack.delivered, limit), this.ssthresh);
      return;
    }
    this.#afterTimeout = false;
    this.#counted += ack.delivered;
    while (this.#counted >= this.cwnd) {
      this.#counted -= this.cwnd; // RFC 3465 §2.1: one segment per window
      this.cwnd += this.#mss;
    }
  }

  onCongestion(_now: Instant, _cause: "loss" | "ecn", inFlight: number): void {
    this.#save();
    this.ssthresh = Math.max(Math.trunc(inFlight / 2), 2 * this.#mss); // RFC 5681 §3.1, (4)
    this.cwnd = Math.min(this.cwnd, this.ssthresh);
    this.#counted = 0;
  }

  onRecovered(_now: Instant): void {}

  onTimeout(_now: Instant, inFlight: number): void {
    this.#save();
    this.ssthresh = Math.max(Math.trunc(inFlight / 2), 2 * this.#mss);
    this.cwnd = this.#mss;
    this.#counted = 0;
    this.#packet = this.#mss;
    this.#afterTimeout = true;
  }

  onSpurious(_now: Instant): void {
    if (this.#priorCwnd === 0) return;
    this.cwnd = Math.max(this.cwnd, this.#priorCwnd);
    this.ssthresh = Math.max(this.ssthresh, this.#priorSsthresh);
    this.#priorCwnd = 0;
  }

  onIdle(_now: Instant, idle: Duration, rto: Duration): void {
    if (idle > rto) this.cwnd = Math.min(this.cwnd, initialWindow(this.#mss)); // RFC 5681 §4.1
  }

  onMss(mss: number): void {
    this.#mss = mss;
    if (this.cwnd < mss) this.cwnd = mss;
  }

  #save(): void {
    this.#priorCwnd = this.cwnd;
    this.#priorSsthresh = this.ssthresh;
  }
}
