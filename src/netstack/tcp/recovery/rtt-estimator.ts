import type { Duration, Instant } from "../../../core/time.ts";

/** RFC 6298 §2.4 wants a floor, and lets it be lowered by newer evidence: settings give it. */
export interface RtoBounds {
  readonly minRto: Duration;
  readonly maxRto: Duration;
  readonly initialRto: Duration;
}

/** RFC 6298 §5.7: what data start with when the SYN had to be sent again. */
const RTO_AFTER_SYN_LOSS = 3_000_000;
/** The least RTT holds for so many seconds. */
const MIN_WINDOW = 10;
/** No sample is longer: small integers are the cheapest to keep. */
const LONGEST = 0x3fff_ffff;

/**
 * Smoothed round-trip time and retransmission timeout (RFC 6298), in microseconds. Every acknowledgment
 * may bring a sample: the weights are those of one sample per round trip, spread over as many as the
 * last round trip brought (RFC 7323 appendix G, with counted samples in place of expected ones).
 */
export class RttEstimator {
  /** 0 before the first sample. */
  srtt = 0;
  rttvar = 0;
  /** Without backoff. */
  rto: number;
  /** The least sample of about the last ten seconds; 0 before the first. */
  minRtt = 0;
  #samples = 0;
  #perRound = 1;
  #roundEnd = 0;
  /** In seconds. */
  #minUntil = 0;
  /** The least sample since half of the window: takes over when the window is over. */
  #nextMin = 0;
  readonly #bounds: RtoBounds;

  constructor(bounds: RtoBounds) {
    this.#bounds = bounds;
    this.rto = bounds.initialRto;
  }

  /** RFC 6298 §5.7. */
  onSynLost(): void {
    if (this.srtt === 0 && this.rto < RTO_AFTER_SYN_LOSS) this.rto = RTO_AFTER_SYN_LOSS;
  }

  /**
   * A round trip of `rtt` microseconds; never of a segment sent twice (Karn, RFC 6298 §3). `least`: the
   * shortest that the same ACK shows, for `minRtt`.
   */
  onSample(now: Instant, rtt: number, least = rtt): void {
    this.#noteMin(
      Math.ceil(now / 1_000_000),
      least < 1 ? 1 : least < LONGEST ? least | 0 : LONGEST,
    );
    this.onCoarseSample(now, rtt);
  }

  /** One of milliseconds, by timestamps: no word on `minRtt`. */
  onCoarseSample(now: Instant, sample: number): void {
    const rtt = sample < 1 ? 1 : sample;
    if (this.srtt === 0) {
      this.srtt = rtt; // RFC 6298 §2.2
      this.rttvar = rtt / 2;
      this.#roundEnd = now + rtt;
    } else {
      const n = this.#countSample(now);
      const error = Math.abs(this.srtt - rtt);
      this.rttvar += (error - this.rttvar) / (4 * n); // RFC 6298 §2.3, RFC 7323 appendix G
      this.srtt += (rtt - this.srtt) / (8 * n);
    }
    const { minRto, maxRto } = this.#bounds;
    // The floor lies on the variance term, so that an even, long path keeps room for a delayed ACK.
    const rto = Math.trunc(this.srtt + Math.max(4 * this.rttvar, minRto));
    this.rto = rto > maxRto ? maxRto : rto;
  }

  /** RFC 6298 §5.5: doubled for each timeout in a row. */
  backedOff(backoff: number): Duration {
    const rto = this.rto * 2 ** (backoff > 16 ? 16 : backoff);
    return (rto > this.#bounds.maxRto ? this.#bounds.maxRto : rto) as Duration;
  }

  #countSample(now: Instant): number {
    this.#samples++;
    if (now >= this.#roundEnd) {
      this.#perRound = this.#samples;
      this.#samples = 0;
      this.#roundEnd = now + this.srtt;
    }
    return this.#perRound;
  }

  #noteMin(now: number, rtt: number): void {
    if (this.minRtt === 0 || rtt <= this.minRtt) {
      this.minRtt = rtt;
      this.#nextMin = 0;
      this.#minUntil = now + MIN_WINDOW;
      return;
    }
    if (now > this.#minUntil) {
      this.minRtt = this.#nextMin === 0 ? rtt : Math.min(this.#nextMin, rtt);
      this.#nextMin = 0;
      this.#minUntil = now + MIN_WINDOW / 2;
    } else if (now > this.#minUntil - MIN_WINDOW / 2) {
      if (this.#nextMin === 0 || rtt < this.#nextMin) this.#nextMin = rtt;
    }
  }
}
