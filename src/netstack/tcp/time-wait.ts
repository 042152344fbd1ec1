import { type Duration, type Instant, seconds } from "../../core/time.ts";
import { type Seq, seqAdd, seqGt } from "../../wire/seq.ts";
import type { TcpView } from "../../wire/tcp.ts";
import type { TcpConnection } from "./connection.ts";
import { shut } from "./teardown.ts";

// TIME_WAIT that ends early, for a new connection between the same ports (RFC 6191, RFC 9293 §3.6.1).

/** After so long our timestamps are newer than all of the old connection's (Linux: tcp_tw_reuse). */
const QUIET: Duration = seconds(1);
/** Past what the old connection may still have had under way. */
const DISTANCE = 0x1_0000;

/** Ends it before its time. What the owner has not read yet stays readable. */
export const expire = (c: TcpConnection): void => shut(c, null);

/** RFC 6191 §2: whether this SYN may open the next incarnation. The others are challenged. */
export function reopenedBy(c: TcpConnection, syn: TcpView): boolean {
  if (c.state.kind !== "TimeWait" || syn.fin) return false;
  const newer = seqGt(syn.sequence, c.rcv.nxt);
  const { options } = syn;
  if (!options.hasTimestamps || !c.settings.timestamps) return newer;
  // None of the old segments has a timestamp, and the new connection takes none without.
  if (!c.timestamps) return true;
  const age = (options.timestampValue - c.rcv.tsRecent) | 0;
  return age > 0 || (age === 0 && newer);
}

/**
 * Whether we may open the next incarnation by a SYN of ours: the peer, which may be in any state, tells old
 * from new by timestamps alone.
 */
export function mayReopen(c: TcpConnection, now: Instant): boolean {
  if (c.state.kind !== "TimeWait" || !c.timestamps || !c.settings.timestamps) return false;
  return now >= c.state.expiresAt - c.settings.timeWait + QUIET;
}

/** RFC 9293 §3.6.1: larger than any number that the old connection used; `iss` where it is. */
export const nextIss = (c: TcpConnection, iss: Seq): Seq =>
  seqGt(iss, c.snd.nxt) ? iss : seqAdd(c.snd.nxt, DISTANCE);
