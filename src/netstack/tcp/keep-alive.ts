import { after, type Instant } from "../../core/time.ts";
import type { TcpConnection } from "./connection.ts";
import { Pending } from "./pending.ts";
import { FOREVER } from "./recovery/loss-recovery.ts";
import { reset, timeoutError } from "./teardown.ts";

/** RFC 9293 §3.8.4. The deadline does not move with each segment: it looks back when it comes. */
export function startKeepAlive(c: TcpConnection, now: Instant): void {
  const setting = c.keepAliveSetting;
  if (setting !== null) {
    c.waiting.keepAlive = after(now, setting.idle);
    c.arm(c.waiting.keepAlive);
  } else if (c.deadlines !== null) c.deadlines.keepAlive = FOREVER;
}

export function keepAliveTimeout(c: TcpConnection, now: Instant): void {
  const setting = c.keepAliveSetting;
  c.waiting.keepAlive = FOREVER;
  if (setting === null) return;
  const quiet = after(c.lastHeardAt, setting.idle);
  if (now < quiet || !c.snd.allAcknowledged || c.persistBackoff >= 0) {
    // Heard lately, or something else finds out whether the peer lives.
    c.keepAliveProbes = 0;
    c.waiting.keepAlive = now < quiet ? quiet : after(now, setting.idle);
    c.arm(c.waiting.keepAlive);
    return;
  }
  if (c.keepAliveProbes >= setting.probes) {
    reset(c, timeoutError(c, "keep-alive probes went unanswered"));
    return;
  }
  c.keepAliveProbes++;
  c.pending |= Pending.keepAlive;
  c.waiting.keepAlive = after(now, setting.interval);
  c.arm(c.waiting.keepAlive);
  c.host.wantsTransmit(c);
}
