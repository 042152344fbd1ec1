import type { NetError } from "../../core/errors.ts";

/**
 * Who uses a connection. Calls come while a segment or a timer is handled; the owner may call any
 * command of the connection from them.
 */
export interface TcpOwner {
  /** ESTABLISHED, from either side. */
  onEstablished(): void;
  /** Bytes in order, borrowed: valid until the call returns. Not while reading is paused. */
  onData(bytes: Uint8Array, start: number, end: number): void;
  /** The peer's FIN, after all its data. */
  onEnd(): void;
  /** The peer has acknowledged bytes: `queued` is less now. Goes on after `close`, until nothing is. */
  onAcknowledged(): void;
  /**
   * The connection is over for its user, exactly once and last: null when both FINs are through
   * (TIME_WAIT may go on underneath) or after `abort`; else why.
   */
  onClosed(error: NetError | null): void;
}
