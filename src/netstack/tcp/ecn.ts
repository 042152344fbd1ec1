import { type Seq, seqGe } from "../../wire/seq.ts";

/** RFC 3168 §5: the codepoint for "congestion experienced". */
const CONGESTION_EXPERIENCED = 3;

/** ECN of a connection that negotiated it (RFC 3168 §6.1). */
export class Ecn {
  /** A CE mark came in: every ACK says ECE until the peer's CWR (§6.1.3). */
  echo = false;
  /** The peer said ECE, and the window was reduced: the next new data says CWR (§6.1.2). */
  cwrDue = false;
  /** One reaction per window: ECE below this number is about what was reacted to. */
  #reactedTo: Seq;

  constructor(iss: Seq) {
    this.#reactedTo = iss;
  }

  /** A segment with data came; the CWR first, as its own mark is newer (§6.1.3). */
  onData(codepoint: number, cwr: boolean): void {
    if (cwr) this.echo = false;
    if (codepoint === CONGESTION_EXPERIENCED) this.echo = true;
  }

  onEcho(una: Seq, nxt: Seq): void {
    if (!seqGe(una, this.#reactedTo)) return;
    this.#reactedTo = nxt;
    this.cwrDue = true;
  }
}
