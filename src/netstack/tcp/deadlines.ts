import type { Instant } from "../../core/time.ts";
import type { Timer } from "../../core/transport.ts";
import { FOREVER } from "./recovery/loss-recovery.ts";

/**
 * What a connection waits for, by name, and the timer for it; those of loss recovery are its own. Made when
 * there is something to wait for and dropped when there is not: an idle connection has none.
 */
export class Deadlines {
  /** Send the SYN or SYN+ACK again; later the end of TIME_WAIT, or of FIN_WAIT_2 without an owner. */
  state: Instant = FOREVER;
  delayedAck: Instant = FOREVER;
  /** Probe a closed window, or send into a silly one (RFC 9293 §3.8.6). */
  persist: Instant = FOREVER;
  keepAlive: Instant = FOREVER;
  /** Unacknowledged for too long (RFC 9293 §3.8.3, R2). */
  userTimeout: Instant = FOREVER;
  /** The end of `cork`'s patience, or of `linger`'s. */
  patience: Instant = FOREVER;
  timer: Timer | null = null;
  /** When the timer fires. */
  armedAt: Instant = FOREVER;

  get earliest(): Instant {
    const a = this.state < this.delayedAck ? this.state : this.delayedAck;
    const b = this.persist < this.keepAlive ? this.persist : this.keepAlive;
    const c = this.userTimeout < this.patience ? this.userTimeout : this.patience;
    const ab = a < b ? a : b;
    return ab < c ? ab : c;
  }

  clear(): void {
    this.state = FOREVER;
    this.delayedAck = FOREVER;
    this.persist = FOREVER;
    this.keepAlive = FOREVER;
    this.userTimeout = FOREVER;
    this.patience = FOREVER;
  }
}
