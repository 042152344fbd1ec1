import type { Duration, Instant } from "../../core/time.ts";
import type { ReceiveSpace } from "./receive-space.ts";
import type { TcpSettings } from "./settings.ts";

/**
 * Receive-buffer autotuning (dynamic right-sizing, Fisk and Feng 2001, as Linux has it): what the owner took
 * in one round trip is about the sender's congestion window; the buffer is kept at twice that and
 * more while it grows, so that the window we advertise is never what limits. A slow reader does not grow it.
 */
export class ReceiveTuning {
  /** As the receiver sees it, in microseconds; 0: not known. */
  #rtt: number;
  #since: Instant;
  #taken = 0;
  /** The most that was taken in one round trip. */
  #best = 0;

  /** `rtt`: as the sender in us knows it, from the handshake at least, or 0. */
  constructor(now: Instant, rtt: number) {
    this.#since = now;
    this.#rtt = Math.trunc(rtt);
  }

  /** Of an echoed timestamp on data. */
  noteRtt(rtt: Duration): void {
    if (rtt <= 0) return;
    this.#rtt = this.#rtt === 0 ? rtt : Math.trunc(this.#rtt + (rtt - this.#rtt) / 8);
  }

  onConsumed(
    now: Instant,
    bytes: number,
    rcv: ReceiveSpace,
    settings: TcpSettings,
    mss: number,
  ): void {
    this.#taken += bytes;
    if (this.#rtt === 0 || now - this.#since < this.#rtt) return;
    const taken = this.#taken;
    this.#taken = 0;
    this.#since = now;
    if (taken <= this.#best) return;
    const growth = taken - this.#best;
    this.#best = taken;
    const wanted = 2 * taken + 2 * growth + 16 * mss;
    if (wanted > rcv.limit)
      rcv.limit = Math.max(rcv.limit, Math.min(wanted, settings.maxReceiveBuffer));
  }
}
