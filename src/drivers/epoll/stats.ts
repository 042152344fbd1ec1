/** Plain counters of one transport since it was made, for benchmarks and tests. */
export class ReactorStats {
  /** Rounds of the reactor, with events or without. */
  turns = 0;
  /** recv calls. */
  receives = 0;
  /** send and sendmsg calls. */
  sends = 0;
  bytesIn = 0;
  bytesOut = 0;
  accepts = 0;
}
