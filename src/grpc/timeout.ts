import { type Duration, micros } from "../core/time.ts";

/** Microseconds in each unit; a nanosecond is less than one. */
const UNITS: Readonly<Record<string, number>> = {
  H: 3_600_000_000,
  M: 60_000_000,
  S: 1_000_000,
  m: 1_000,
  u: 1,
  n: 0.001,
};

/** More than 8 digits are not allowed (PROTOCOL-HTTP2.md, TimeoutValue). */
const MOST = 99_999_999;

/**
 * The value of a grpc-timeout field: at most 8 digits and a unit. Null for what is none. Rounded up to
 * microseconds; "0" of any unit has passed already.
 */
export function parseGrpcTimeout(text: string): Duration | null {
  const unit = UNITS[text[text.length - 1] ?? ""];
  if (unit === undefined || !/^\d{1,8}.$/.test(text)) return null;
  return micros(Math.ceil(Number(text.slice(0, -1)) * unit));
}

/** A grpc-timeout for `left`, in the finest unit that holds it; never longer than that, "0u" for what has passed. */
export function formatGrpcTimeout(left: Duration): string {
  if (left <= 0) return "0u";
  if (left <= MOST) return `${Math.floor(left)}u`;
  if (left / 1_000 <= MOST) return `${Math.floor(left / 1_000)}m`;
  if (left / 1_000_000 <= MOST) return `${Math.floor(left / 1_000_000)}S`;
  if (left / 60_000_000 <= MOST) return `${Math.floor(left / 60_000_000)}M`;
  return `${Math.min(MOST, Math.floor(left / 3_600_000_000))}H`;
}
