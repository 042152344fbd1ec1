/** What a connection may queue however little is left, in bytes: as much as goes on a path in a moment. */
const LEAST = 16 * 1024;

/**
 * What all connections of a stack have queued to send, acknowledged bytes taken off. A thousand peers that
 * read nothing would else hold a thousand times the high-water mark. The share of each is a quarter of what
 * is left (dynamic thresholds: Choudhury and Hahne 1998), so that a few have all they want, and many share.
 */
export class SendMemory {
  used = 0;
  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes that one connection may queue before it says "full", where it would like `wanted`. */
  share(wanted: number): number {
    const quarter = (this.limit - this.used) / 4;
    return wanted <= quarter ? wanted : Math.min(wanted, Math.max(quarter, LEAST));
  }
}
