/** What a connection may queue however little is left, in bytes: as much as goes on a path in a moment. */
const LEAST_SHARE = 16 * 1024;

/**
 * Memory for what all connections of a stack queue, in one direction: to send, acknowledged bytes taken off,
 * or received and not yet read. A thousand peers that read nothing, or a thousand readers that are paused,
 * would else hold a thousand times the most of one. The share of each is a quarter of what is left (dynamic
 * thresholds: Choudhury and Hahne 1998), so that a few have all they want, and many share.
 */
export class QueueMemory {
  used = 0;
  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes that one connection may queue, where it would like `wanted`. */
  share(wanted: number): number {
    const quarter = Math.trunc((this.limit - this.used) / 4);
    return wanted <= quarter ? wanted : Math.min(wanted, Math.max(quarter, LEAST_SHARE));
  }

  /** Bytes that a connection which has `queued` of them in it may add at most, whatever it was promised. */
  room(queued: number): number {
    return Math.max(this.limit - this.used, LEAST_SHARE - queued, 0);
  }
}
