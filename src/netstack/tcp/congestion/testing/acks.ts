import type { Duration, Instant } from "../../../../core/time.ts";
import { AckSample, type CongestionControl } from "../congestion-control.ts";

export const MSS = 1000;

/** Plain numbers over the defaults of an ACK of one segment in a full window. */
export function ack(fields: Partial<AckSample> = {}): AckSample {
  const sample = new AckSample();
  return Object.assign(sample, { delivered: MSS, acked: MSS, cwndLimited: true }, fields);
}

export const at = (us: number): Instant => us as Instant;
export const us = (n: number): Duration => n as Duration;

/** A round trip of ACKs, one for each segment of the window, spread over `rtt`. */
export function round(control: CongestionControl, from: number, rtt: number): void {
  const segments = Math.floor(control.cwnd / MSS);
  for (let i = 0; i < segments; i++) {
    const now = at(from + ((i + 1) * rtt) / segments);
    control.onAck(now, ack({ rtt: us(rtt), smoothedRtt: us(rtt), roundStart: i === 0 }));
  }
}
