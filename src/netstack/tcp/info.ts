import type { Duration } from "../../core/time.ts";
import type { CongestionName } from "./congestion/congestion-control.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpStateKind } from "./state.ts";

/** A snapshot of a connection, after Linux's TCP_INFO. Sizes in bytes. */
export interface TcpInfo {
  readonly state: TcpStateKind;
  readonly congestion: CongestionName;
  readonly smoothedRtt: Duration;
  readonly rto: Duration;
  /** Retransmission timeouts in a row without progress. */
  readonly backoff: number;
  readonly cwnd: number;
  readonly ssthresh: number;
  readonly inFlight: number;
  /** Payload of a full segment that we send. */
  readonly mss: number;
  /** What the peer lets us send, and we it. */
  readonly sendWindow: number;
  readonly receiveWindow: number;
  /** What autotuning has made of the receive buffer. */
  readonly receiveBuffer: number;
  /** Written and not yet acknowledged; received and not yet read. */
  readonly queued: number;
  readonly unread: number;
  readonly bytesAcknowledged: number;
  readonly bytesReceived: number;
  readonly segmentsSent: number;
  readonly segmentsReceived: number;
  readonly segmentsRetransmitted: number;
  readonly sack: boolean;
  readonly timestamps: boolean;
  readonly ecn: boolean;
  /** Shifts, or -1 where scaling was not negotiated. */
  readonly sendWindowScale: number;
  readonly receiveWindowScale: number;
}

export function infoOf(c: TcpConnection): TcpInfo {
  const { snd, rcv, recovery } = c;
  return {
    state: c.state.kind,
    congestion: recovery.congestion.name,
    smoothedRtt: recovery.rtt.srtt as Duration,
    rto: recovery.rtt.backedOff(recovery.backoff),
    backoff: recovery.backoff,
    cwnd: recovery.cwnd,
    ssthresh: recovery.ssthresh,
    inFlight: recovery.inFlight,
    mss: snd.mss,
    sendWindow: snd.window,
    receiveWindow: rcv.window,
    receiveBuffer: rcv.limit,
    queued: snd.queued,
    unread: rcv.unreadBytes,
    bytesAcknowledged: c.bytesAcknowledged,
    bytesReceived: rcv.bytesReceived,
    segmentsSent: c.segmentsSent,
    segmentsReceived: c.segmentsReceived,
    segmentsRetransmitted: c.segmentsRetransmitted,
    sack: c.sack,
    timestamps: c.timestamps,
    ecn: c.ecn !== null,
    sendWindowScale: snd.scale,
    receiveWindowScale: rcv.scale,
  };
}
