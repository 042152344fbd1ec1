/**
 * Proportional Rate Reduction (RFC 6937, with the choice of the reduction bound by SafeACK of its
 * revision, RFC 9937): during recovery, what is sent follows what is delivered, so that in flight comes
 * down to ssthresh by the end of it, without a pause and without a burst. All in bytes.
 */
export class Prr {
  /** What may be in flight after the last ACK. */
  cwnd = 0;
  #recoverFlight = 1;
  #delivered = 0;
  #out = 0;

  begin(inFlight: number): void {
    this.#recoverFlight = Math.max(1, inFlight);
    this.#delivered = 0;
    this.#out = 0;
    this.cwnd = 0;
  }

  onSent(bytes: number): void {
    this.#out += bytes;
  }

  /** `safe`: SND.UNA advanced and nothing more was found lost: then slow start is allowed. */
  onAck(delivered: number, inFlight: number, safe: boolean, ssthresh: number, mss: number): void {
    this.#delivered += delivered;
    let quota: number;
    if (inFlight > ssthresh) {
      quota = Math.ceil((this.#delivered * ssthresh) / this.#recoverFlight) - this.#out;
    } else {
      quota = Math.max(this.#delivered - this.#out, delivered);
      if (safe) quota += mss;
      quota = Math.min(quota, ssthresh - inFlight);
    }
    // The first retransmission goes at once, whatever the proportion says.
    if (this.#out === 0 && quota < mss) quota = mss;
    this.cwnd = inFlight + Math.max(0, quota);
  }
}
