import type { Instant } from "../../../core/time.ts";
import type { SentSegment } from "./sent-segment.ts";

/**
 * Delivery rate samples (draft-ietf-ccwg-bbr §4.1): bytes delivered between the send of a segment and
 * its ACK, over the longer of the times in which they were sent and acknowledged. Byte counts and
 * instants; a connection has one only if its congestion control asks.
 */
export class DeliveryRate {
  delivered = 0;
  #deliveredAt: Instant = 0 as Instant;
  #firstSentAt: Instant = 0 as Instant;
  /** Samples are app-limited until so many bytes are delivered; 0: they are not. */
  #appLimitedUntil = 0;
  #roundEnd = 0;
  // The sample in the making: of the newest segment that this ACK delivered.
  #priorDelivered = -1;
  #priorAt: Instant = 0 as Instant;
  #sendElapsed = 0;
  #sampleSentAt: Instant = 0 as Instant;
  #sampleLimited = false;
  /** Results of `finish`. */
  rate = 0;
  appLimited = false;
  roundStart = false;

  onSent(now: Instant, segment: SentSegment, inFlightBefore: number): void {
    if (inFlightBefore === 0) {
      this.#firstSentAt = now;
      this.#deliveredAt = now;
    }
    segment.firstSentAt = this.#firstSentAt;
    segment.deliveredAt = this.#deliveredAt;
    segment.delivered = this.delivered;
    segment.appLimited = this.#appLimitedUntil > 0;
  }

  /** The sender ran out of data with `inFlight` bytes on the way (§4.1.2.4). */
  onAppLimited(inFlight: number): void {
    this.#appLimitedUntil = Math.max(1, this.delivered + inFlight);
  }

  onDelivered(now: Instant, segment: SentSegment, bytes: number): void {
    this.delivered += bytes;
    this.#deliveredAt = now;
    const newer = segment.sentAt > this.#sampleSentAt || this.#priorDelivered < 0;
    if (!newer && segment.delivered <= this.#priorDelivered) return;
    this.#priorDelivered = segment.delivered;
    this.#priorAt = segment.deliveredAt;
    this.#sendElapsed = segment.sentAt - segment.firstSentAt;
    this.#sampleSentAt = segment.sentAt;
    this.#sampleLimited = segment.appLimited;
    this.#firstSentAt = segment.sentAt;
  }

  /** Ends an ACK: fills `rate` (bytes a second, 0: no sample), `appLimited` and `roundStart`. */
  finish(now: Instant, minRtt: number): void {
    if (this.#appLimitedUntil > 0 && this.delivered > this.#appLimitedUntil) {
      this.#appLimitedUntil = 0;
    }
    this.rate = 0;
    this.roundStart = false;
    const prior = this.#priorDelivered;
    this.#priorDelivered = -1;
    if (prior < 0) return;
    if (prior >= this.#roundEnd) {
      this.#roundEnd = this.delivered;
      this.roundStart = true;
    }
    this.appLimited = this.#sampleLimited;
    const interval = Math.max(this.#sendElapsed, now - this.#priorAt);
    // §4.1.2.3: a sample over less than a round trip would flatter the path.
    if (interval < minRtt || interval <= 0) return;
    this.rate = ((this.delivered - prior) * 1_000_000) / interval;
  }
}
