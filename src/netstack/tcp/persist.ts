import { after, type Instant } from "../../core/time.ts";
import type { TcpConnection } from "./connection.ts";
import { Pending } from "./pending.ts";
import { FOREVER } from "./recovery/loss-recovery.ts";
import { reset, timedOut } from "./teardown.ts";

/** Data wait, nothing is in flight, and the window is closed or silly (RFC 9293 §3.8.6.1, .2.1). */
export function startPersist(c: TcpConnection, now: Instant): void {
  if (c.persistBackoff >= 0) return;
  c.persistBackoff = 0;
  c.lastHeardAt = now;
  schedule(c, now);
}

export function stopPersist(c: TcpConnection): void {
  c.persistBackoff = -1;
  if (c.deadlines !== null) c.deadlines.persist = FOREVER;
}

/**
 * Probes without owner in a row: then a peer that keeps its window closed has had some minutes (Linux:
 * tcp_orphan_retries). Otherwise what it makes us keep would stay for ever.
 */
const ORPHAN_PROBES = 8;

/** A closed window is probed as long as the peer answers (RFC 9293 §3.8.6.1, MUST-37). */
export function persistTimeout(c: TcpConnection, now: Instant): void {
  if (now - c.lastHeardAt >= c.userTimeoutLimit) {
    timedOut(c);
    return;
  }
  if (c.orphaned && c.persistBackoff >= ORPHAN_PROBES) {
    reset(c, null);
    return;
  }
  c.persistBackoff++;
  schedule(c, now);
  if (c.snd.usableWindow > 0) c.overridesSilly = true;
  else c.pending |= Pending.windowProbe;
  c.host.wantsTransmit(c);
}

function schedule(c: TcpConnection, now: Instant): void {
  c.waiting.persist = after(now, c.recovery.rtt.backedOff(c.persistBackoff));
  c.arm(c.waiting.persist);
}
