import type { Duration, Instant } from "../../../core/time.ts";

/** Something that was newly acknowledged, cumulatively or by SACK. One object, filled anew for each ACK. */
export class AckSample {
  /** Bytes that left the network with this ACK: cumulative and newly SACKed, each once. */
  delivered = 0;
  /** Of those, what moved SND.UNA. */
  acked = 0;
  /** Bytes found lost by this ACK. */
  lost = 0;
  /** In flight before the ACK was processed, and after. */
  priorInFlight = 0;
  inFlight = 0;
  /** Of this ACK, or 0 where Karn's rule (RFC 6298 §3) forbids one. */
  rtt: Duration = 0 as Duration;
  smoothedRtt: Duration = 0 as Duration;
  /** The least of a window of the last ten seconds. */
  minRtt: Duration = 0 as Duration;
  /** Delivery rate in bytes a second (draft-ietf-ccwg-bbr §4.1), 0 where there is no sample. */
  deliveryRate = 0;
  /** The sample was taken while the sender had nothing more to send. */
  appLimited = false;
  /** All data that was in flight when the last round began has been acknowledged. */
  roundStart = false;
  /** The sender filled its window: growth is allowed (RFC 7661 §4.2). */
  cwndLimited = false;
  inRecovery = false;
}

/**
 * How much may be in flight, all in bytes. Detecting and repairing loss is not its business: it is told.
 * One per connection; small, with a fixed shape.
 */
export interface CongestionControl {
  readonly name: CongestionName;
  readonly cwnd: number;
  readonly ssthresh: number;
  /** Bytes a second, or 0 for no pacing. */
  readonly pacingRate: number;
  /** Whether PRR governs recovery (RFC 6937); BBR does without. */
  readonly usesPrr: boolean;
  /** Whether `deliveryRate` and `roundStart` of the samples are to be measured. */
  readonly samplesRate: boolean;
  /** Before the first data: a window other than the initial one, in bytes. */
  startAt(cwnd: number): void;
  onSent(now: Instant, bytes: number, inFlight: number): void;
  /** Every ACK that acknowledges something new; during recovery, too. */
  onAck(now: Instant, ack: AckSample): void;
  /** Recovery begins, or an ECN echo came; once per window. `inFlight` as before the event. */
  onCongestion(now: Instant, cause: "loss" | "ecn", inFlight: number): void;
  /** SND.UNA passed the recovery point. */
  onRecovered(now: Instant): void;
  /** The retransmission timer expired and everything in flight is deemed lost (RFC 5681 §3.1). */
  onTimeout(now: Instant, inFlight: number): void;
  /** The last congestion event was spurious (D-SACK, F-RTO, Eifel): take it back. */
  onSpurious(now: Instant): void;
  /** Sending again after nothing was in flight for `idle` (RFC 5681 §4.1, RFC 7661). */
  onIdle(now: Instant, idle: Duration, rto: Duration): void;
  /** The segment size changed with the path MTU. */
  onMss(mss: number): void;
}

export type CongestionName = "newreno" | "cubic" | "bbr";
