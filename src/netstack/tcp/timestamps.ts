import type { Duration, Instant } from "../../core/time.ts";
import { type Seq, seqLe } from "../../wire/seq.ts";
import type { TcpOptionIndex } from "../../wire/tcp-options.ts";
import type { ReceiveSpace } from "./receive-space.ts";

/** RFC 7323 §5.4: one tick a millisecond, from an origin that tells nothing about the machine. */
export const timestampAt = (now: Instant, offset: number): number =>
  (Math.floor(now / 1_000) + offset) >>> 0;

/** RFC 7323 §5.5: after 24 days without a segment TS.Recent means nothing any more. */
const STALE_SECONDS = 24 * 24 * 3600;

const before = (a: number, b: number): boolean => ((a - b) | 0) < 0;

/** RFC 7323 §5.3, R1: whether PAWS takes the segment. Not to be asked about a RST. */
export function pawsAccepts(rcv: ReceiveSpace, now: Instant, options: TcpOptionIndex): boolean {
  if (!before(options.timestampValue, rcv.tsRecent)) return true;
  return rcv.tsRecentAge(now) > STALE_SECONDS;
}

/**
 * RFC 7323 §4.3: an acceptable segment that covers the last ACK we sent sets TS.Recent. Since PAWS let it pass,
 * its value is at least TS.Recent, or that is stale.
 */
export function noteTimestamp(rcv: ReceiveSpace, now: Instant, sequence: Seq, value: number): void {
  if (!seqLe(sequence, rcv.acknowledged)) return;
  rcv.setTsRecent(now, value);
}

/** No round trip can be told. */
export const NO_SAMPLE = -1 as Duration;

/** RFC 7323 §4.1: the round trip that an echoed timestamp tells, in whole milliseconds; -1: none. */
export function rttOfEcho(now: Instant, offset: number, echo: number): Duration {
  if (echo === 0) return NO_SAMPLE;
  const ticks = (timestampAt(now, offset) - echo) | 0;
  return ticks < 0 ? NO_SAMPLE : ((ticks * 1_000) as Duration);
}
