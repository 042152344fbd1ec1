/** RFC 3168 §5: the codepoint for "congestion experienced". */
const CONGESTION_EXPERIENCED = 3;

/**
 * The receiver's part of ECN, of a connection that negotiated it (RFC 3168 §6.1). The sender's is with loss
 * recovery: it reduces the window, once per round trip, and says when CWR is due.
 */
export class Ecn {
  /** A CE mark came in: every ACK says ECE until the peer's CWR (§6.1.3). */
  echo = false;

  /** A segment with data came; the CWR first, as its own mark is newer (§6.1.3). */
  onData(codepoint: number, cwr: boolean): void {
    if (cwr) this.echo = false;
    if (codepoint === CONGESTION_EXPERIENCED) this.echo = true;
  }
}
