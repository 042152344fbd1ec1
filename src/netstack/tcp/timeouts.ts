import { after, type Instant } from "../../core/time.ts";
import type { TcpConnection } from "./connection.ts";
import { synTimeout } from "./handshake.ts";
import { keepAliveTimeout } from "./keep-alive.ts";
import { persistTimeout } from "./persist.ts";
import { FOREVER } from "./recovery/loss-recovery.ts";
import { reset, shut, timedOut } from "./teardown.ts";

/** Does what is due at `now`, each deadline on its own: any may end the connection. */
export function timeoutsDue(c: TcpConnection, now: Instant): void {
  const { waiting: deadlines, recovery } = c;
  if (deadlines.state <= now) stateTimeout(c, now);
  if (c.state.kind === "Closed") return;
  if (deadlines.delayedAck <= now) {
    deadlines.delayedAck = FOREVER;
    if (c.ackPolicy.owed === 0) c.ackPolicy.owed = 1;
    c.host.wantsTransmit(c);
  }
  if (recovery.nextTimeout() <= now) {
    recovery.handleTimeout(now);
    c.host.wantsTransmit(c);
  }
  if (deadlines.persist <= now) persistTimeout(c, now);
  if (deadlines.keepAlive <= now) keepAliveTimeout(c, now);
  if (deadlines.userTimeout <= now) userTimeout(c, now);
  if (deadlines.patience <= now) patienceOver(c);
}

function stateTimeout(c: TcpConnection, now: Instant): void {
  c.waiting.state = FOREVER;
  switch (c.state.kind) {
    case "SynSent":
    case "SynReceived":
      synTimeout(c);
      return;
    case "TimeWait":
      // The deadline may have moved since.
      if (now >= c.state.expiresAt) shut(c, null);
      else c.waiting.state = c.state.expiresAt;
      return;
    case "FinWait2":
      shut(c, null);
  }
}

/**
 * RFC 9293 §3.8.6, SHLD-16: a peer that has taken its window back and answers is alive, though it cannot
 * acknowledge what was sent into it.
 */
function userTimeout(c: TcpConnection, now: Instant): void {
  const silentAt = after(c.lastHeardAt, c.userTimeoutLimit);
  if (c.snd.window === 0 && !c.orphaned && now < silentAt) c.waiting.userTimeout = silentAt;
  else timedOut(c);
}

/** A cork holds back for 200 ms; lingering ends with a reset. */
function patienceOver(c: TcpConnection): void {
  c.waiting.patience = FOREVER;
  if (c.orphaned) {
    if (c.snd.queued > 0) reset(c, null);
    return;
  }
  c.corkExpired = true;
  c.host.wantsTransmit(c);
}
