import { after, type Duration, type Instant } from "../../core/time.ts";
import { type Seq, seqAdd, seqGt, seqLt } from "../../wire/seq.ts";
import { TcpFlag, type TcpView } from "../../wire/tcp.ts";
import type { TcpConnection } from "./connection.ts";
import { stopPersist } from "./persist.ts";
import { FOREVER } from "./recovery/loss-recovery.ts";
import { FIN_WAIT_2 } from "./state.ts";
import { boundFinWait2, enterTimeWait, shut, tellClosed } from "./teardown.ts";

/**
 * RFC 9293 §3.10.7.4, fifth: the acknowledgment of an acceptable segment in a synchronized state.
 * `length`: what the segment takes of the sequence space; `rtt`: what its timestamp tells, or -1. False: the segment is to be dropped.
 */
export function takeAcknowledgment(
  c: TcpConnection,
  now: Instant,
  view: TcpView,
  seq: Seq,
  length: number,
  rtt: Duration,
): boolean {
  const { snd } = c;
  const ack = view.acknowledgment;
  const una = snd.una;
  // RFC 5961 §5.2: neither beyond what was sent nor older than a window.
  if (seqGt(ack, snd.nxt) || seqLt(ack, seqAdd(una, -snd.maxWindow))) {
    c.challenge(now);
    return false;
  }
  if (seqLt(ack, una)) return true;
  let windowChanged = false;
  // SND.WL1 and WL2 keep an older segment from undoing a newer one's window.
  if (ack !== una || !seqLt(seq, snd.wl1)) {
    const window = scaledWindow(c, view);
    windowChanged = window !== snd.window;
    snd.setWindow(window, seq, ack);
  }
  const ece = c.ecn !== null && (view.flags & TcpFlag.ece) !== 0;
  if (c.persistBackoff >= 0 && windowChanged && snd.usableWindow > 0) stopPersist(c);
  // Data of a peer to whom we send nothing: there is nothing to learn from its ACK, but for a late D-SACK.
  if (snd.nxt === una && length > 0 && view.options.sackCount === 0) return true;
  const bytes = ack === una ? 0 : snd.acknowledge(ack);
  c.recovery.onAck(now, una, ack, view.options, length, windowChanged, ece, rtt);
  c.arm(c.recovery.nextTimeout());
  if (ack !== una) onProgress(c, now, bytes);
  return true;
}

/** RFC 7323 §2.2: the window of a SYN, here a SYN+ACK that crossed ours, is never scaled. */
export const scaledWindow = (c: TcpConnection, view: TcpView): number =>
  c.snd.scale > 0 && !view.syn ? view.window << c.snd.scale : view.window;

function onProgress(c: TcpConnection, now: Instant, bytes: number): void {
  const { snd } = c;
  c.softError = null;
  c.bytesAcknowledged += bytes;
  const done = snd.una === snd.nxt;
  if (!done) c.waiting.userTimeout = after(now, c.acknowledgmentLimit);
  else if (c.deadlines !== null) c.deadlines.userTimeout = FOREVER;
  if (done && snd.finSent) onFinAcknowledged(c, now);
  if (bytes === 0 || c.owner === null) return;
  c.owner.onAcknowledged();
  if (c.orphaned && snd.queued === 0) tellClosed(c, null);
}

function onFinAcknowledged(c: TcpConnection, now: Instant): void {
  switch (c.state.kind) {
    case "FinWait1":
      c.enter(FIN_WAIT_2);
      boundFinWait2(c, now);
      break;
    case "Closing":
      enterTimeWait(c, now);
      break;
    case "LastAck":
      shut(c, null);
      break;
  }
}
