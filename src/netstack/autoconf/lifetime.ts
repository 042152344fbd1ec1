import { after, type Instant, seconds } from "../../core/time.ts";
import { FOREVER } from "../address-table.ts";

/** When a lifetime of that many seconds ends; all ones have no end (RFC 4861 §4.6.2). */
export const lifetimeEnd = (now: Instant, lifetime: number): Instant =>
  lifetime === 0xffff_ffff ? FOREVER : after(now, seconds(lifetime));

export const earlier = (a: Instant, b: Instant): Instant => (a < b ? a : b);
