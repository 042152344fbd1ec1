import { type Seq, seqGe } from "../../../wire/seq.ts";

/** RFC 8985 §6.2 step 4: how many recoveries without D-SACK bring the window back. */
const PERSISTENCE = 16;

/** What a path has shown of reordering (RFC 8985 §6.2 step 4): how long a gap may last that is no loss. */
export class ReorderingWindow {
  seen = false;
  /** RACK.reo_wnd_mult: quarters of the least RTT. */
  multiplier = 1;
  #persist = 0;
  #inRound = false;
  #roundEnd: Seq = 0 as Seq;

  /** An ACK without D-SACK. */
  onAck(una: Seq): void {
    if (this.#inRound && seqGe(una, this.#roundEnd)) this.#inRound = false;
  }

  /** A D-SACK: something was sent again in vain. Grows at most once per round trip. */
  onDuplicate(una: Seq, nxt: Seq): void {
    this.onAck(una);
    if (this.#inRound) return;
    this.#inRound = true;
    this.#roundEnd = nxt;
    this.multiplier++;
    this.#persist = PERSISTENCE;
  }

  onRecovered(): void {
    if (--this.#persist <= 0) this.multiplier = 1;
  }
}

/** Microseconds; `eager`: in recovery, or DupThresh segments are SACKed. */
export function reorderingWindow(
  path: ReorderingWindow | null,
  eager: boolean,
  minRtt: number,
  srtt: number,
): number {
  if (path === null || !path.seen) {
    if (eager) return 0;
    if (path === null) return Math.trunc(minRtt / 4);
  }
  return Math.trunc(Math.min((path.multiplier * minRtt) / 4, srtt));
}
