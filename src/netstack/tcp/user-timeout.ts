import { type Duration, seconds } from "../../core/time.ts";

/** RFC 5482 §3.1: what we let a peer talk us into; it needs both ends to hold out longer, or less long. */
const LOWER_LIMIT = seconds(100);
const UPPER_LIMIT = seconds(3600);

/** The option's field: seconds, or minutes with the top bit, rounded up, as far as it goes. */
export function userTimeoutField(timeout: Duration): number {
  const whole = Math.max(1, Math.ceil(timeout / 1_000_000));
  if (whole <= 0x7fff) return whole;
  return 0x8000 | Math.min(0x7fff, Math.ceil(whole / 60));
}

/** RFC 5482 §3.1: min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)). */
export const adoptedUserTimeout = (ours: Duration, theirs: number): Duration =>
  Math.min(UPPER_LIMIT, Math.max(ours, seconds(theirs), LOWER_LIMIT)) as Duration;
