/** RFC 5681 §3.2. */
export const DUPLICATE_THRESHOLD = 3;

/**
 * Without SACK: each duplicate ACK says that some segment has left the network (RFC 5681 §3.2 step 4,
 * RFC 6582), so it counts as one segment delivered, which unnamed one it may be.
 */
export class DuplicateAcks {
  count = 0;
  /** Out of flight by that count. */
  bytes = 0;

  /** `unnamed`: bytes in flight that a duplicate may stand for. Returns what was newly delivered. */
  onDuplicate(mss: number, unnamed: number): number {
    this.count++;
    const left = unnamed - this.bytes;
    const bytes = left < mss ? Math.max(0, left) : mss;
    this.bytes += bytes;
    return bytes;
  }

  /**
   * SND.UNA advanced by `acked`: the hole of one segment, and what duplicates had stood for. Returns
   * what was newly delivered.
   */
  onAdvance(acked: number, mss: number, repairing: boolean): number {
    const known = Math.max(0, Math.min(this.bytes, acked - mss));
    this.bytes = repairing ? this.bytes - known : 0;
    if (!repairing) this.count = 0;
    return acked - known;
  }

  reset(): void {
    this.count = 0;
    this.bytes = 0;
  }
}
