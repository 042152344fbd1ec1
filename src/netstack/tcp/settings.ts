import { type Duration, millis, seconds } from "../../core/time.ts";
import type { CongestionName } from "./congestion/congestion-control.ts";

/** What a stack's TCP does unless a socket says otherwise; names are Linux's where it has them. */
export interface TcpSettings {
  readonly congestion: CongestionName;
  /** Offer and use: RFC 2018, 7323, 3168. */
  readonly sack: boolean;
  readonly timestamps: boolean;
  readonly windowScaling: boolean;
  /** Find losses by time, and probe for lost tails (RFC 8985); else by three duplicates (RFC 6675). */
  readonly rack: boolean;
  /** `on`: ask for ECN and agree to it; `passive`: agree when asked; `off`. */
  readonly ecn: "on" | "passive" | "off";
  /** Largest segment to offer, in bytes; 0: what the interface's MTU allows. */
  readonly maxSegment: number;
  /** Receive buffer in bytes: at first, and what autotuning may make of it (equal: no autotuning). */
  readonly receiveBuffer: number;
  readonly maxReceiveBuffer: number;
  /** Bytes that `write` queues before it says "full", and when it says "writable" again. */
  readonly sendHighWater: number;
  readonly sendLowWater: number;
  readonly minRto: Duration;
  readonly maxRto: Duration;
  readonly initialRto: Duration;
  /** RFC 9293 §3.8.6.3: at most half a second. */
  readonly delayedAck: Duration;
  /** Retransmissions of a SYN or SYN+ACK before the attempt fails. */
  readonly synRetries: number;
  readonly synAckRetries: number;
  /**
   * R2 (RFC 9293 §3.8.3): how long unacknowledged data may wait; after `close` 100 s at most, unless the
   * stream says otherwise.
   */
  readonly userTimeout: Duration;
  readonly keepAlive: {
    readonly idle: Duration;
    readonly interval: Duration;
    readonly probes: number;
  } | null;
  readonly noDelay: boolean;
  /** FIN_WAIT_2 without an owner (RFC 9293 §3.10.7.4 leaves it open; Linux: 60 s), and 2 MSL. */
  readonly finWait2: Duration;
  readonly timeWait: Duration;
}

export const DEFAULT_TCP: TcpSettings = Object.freeze({
  congestion: "cubic",
  sack: true,
  timestamps: true,
  windowScaling: true,
  rack: true,
  ecn: "passive",
  maxSegment: 0,
  receiveBuffer: 256 * 1024,
  maxReceiveBuffer: 8 << 20,
  sendHighWater: 1 << 20,
  sendLowWater: 512 * 1024,
  minRto: millis(200),
  maxRto: seconds(120),
  initialRto: seconds(1),
  delayedAck: millis(40),
  synRetries: 6,
  synAckRetries: 5,
  userTimeout: seconds(900),
  keepAlive: null,
  noDelay: false,
  finWait2: seconds(60),
  timeWait: seconds(60),
});
