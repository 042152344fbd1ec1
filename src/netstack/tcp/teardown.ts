import { type ErrorCode, NetError } from "../../core/errors.ts";
import { after, type Instant } from "../../core/time.ts";
import type { TcpConnection } from "./connection.ts";
import { Pending } from "./pending.ts";
import { FIN_WAIT_1, LAST_ACK } from "./state.ts";

// Every way out of a connection.

/** Errors blame the far end: the server that we called, or the client that called us. */
export const connectionError = (c: TcpConnection, code: ErrorCode, what: string): NetError =>
  new NetError(code, `${what}: ${code}`, {
    source: c.passive ? "downstream" : "upstream",
    retry: c.state.kind === "SynSent" ? "always" : "if-reused",
    ...(c.softError === null ? {} : { cause: c.softError }),
  });

/** RFC 9293 §3.9.2.2: what ICMP said lately is the better explanation of silence. */
export const timeoutError = (c: TcpConnection, what: string): NetError =>
  c.softError ?? connectionError(c, "ETIMEDOUT", what);

export const timedOut = (c: TcpConnection): void =>
  shut(c, timeoutError(c, "the peer did not acknowledge in time"));

/** Ends the connection where it is, without a word to the peer. */
export function shut(c: TcpConnection, error: NetError | null): void {
  if (c.state.kind === "Closed") return;
  c.disarm();
  c.snd.clear();
  if (error !== null) c.rcv.release();
  else c.rcv.releaseAhead();
  c.pending = 0;
  c.ackPolicy.owed = 0;
  c.enter({ kind: "Closed", error });
  if (error !== null) tellClosed(c, error);
  else settle(c);
}

/** Ends it with a RST (RFC 9293 §3.10.5), where the peer has a connection that is not closing anyway. */
export function reset(c: TcpConnection, error: NetError | null): void {
  const kind = c.state.kind;
  const silent = kind === "Closed" || kind === "SynSent" || kind === "TimeWait";
  const ending = kind === "LastAck" || kind === "Closing";
  shut(c, error);
  c.rcv.release();
  if (!silent && !(ending && c.snd.finSent)) {
    c.pending = Pending.reset;
    c.host.wantsTransmit(c);
  }
  tellClosed(c, error);
}

export function enterTimeWait(c: TcpConnection, now: Instant): void {
  c.deadlines?.clear();
  const expiresAt = after(now, c.settings.timeWait);
  c.waiting.state = expiresAt;
  c.arm(expiresAt);
  c.enter({ kind: "TimeWait", expiresAt });
  settle(c);
}

/** Our FIN is queued: RFC 9293 §3.10.4 changes the state at once, and the FIN follows the data. */
export function queueFin(c: TcpConnection): void {
  const { snd } = c;
  if (snd.finQueued) return;
  snd.finQueued = true;
  if (c.state.kind === "Established") c.enter(FIN_WAIT_1);
  else if (c.state.kind === "CloseWait") c.enter(LAST_ACK);
  else return;
  c.host.wantsTransmit(c);
}

/** FIN_WAIT_2 that nobody reads from any more is bounded in time. */
export function boundFinWait2(c: TcpConnection, now: Instant): void {
  if (c.state.kind !== "FinWait2" || !c.orphaned) return;
  c.waiting.state = after(now, c.settings.finWait2);
  c.arm(c.waiting.state);
}

/** Tells the owner that all is over once both sides are through and everything was delivered. */
export function settle(c: TcpConnection): void {
  const kind = c.state.kind;
  if (kind !== "TimeWait" && kind !== "Closed") return;
  if (c.rcv.finReceived && !c.rcv.endDelivered && !c.orphaned) return;
  tellClosed(c, null);
}

export function tellClosed(c: TcpConnection, error: NetError | null): void {
  if (c.closedTold || c.owner === null) return;
  c.closedTold = true;
  c.owner.onClosed(error);
}
