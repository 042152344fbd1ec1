import type { RequestOwner, ResponseOwner, StreamOwner } from "./owner.ts";
import type { SendQueue } from "./send-queue.ts";

/** RFC 9113 §5.1, as seen from here; idle and reserved streams have no object. */
export type StreamState = "open" | "half-closed-local" | "half-closed-remote" | "closed";

/**
 * One stream. Its owner keeps it to give it to the session's commands; all but `id`, `closed` and
 * `priority` is the session's. Hot: a fixed shape, no object per frame.
 */
export class H2Stream {
  readonly id: number;
  state: StreamState;
  owner: StreamOwner | null;
  /** The same owner by its role; null in the other one. */
  request: RequestOwner | null;
  response: ResponseOwner | null;

  /**
   * What we may send and what the peer may, in octets; a change of SETTINGS can make them negative.
   */
  sendWindow: number;
  receiveWindow: number;
  /** Consumed by the owner and not yet given back to the peer. */
  consumed: number;
  /** Delivered to the owner and not yet consumed. */
  outstanding: number;
  /**
   * Octets of content that are still to come, or to be sent, by Content-Length; -1 when unknown.
   */
  receiveLeft: number;
  sendLeft: number;
  /** Octets of content received. */
  received: number;

  /** A final head came; sent. */
  headReceived: boolean;
  headSent: boolean;
  /**
   * The peer's message was refused: what else comes of it is dropped, and it is reset in the end.
   */
  resetCode: number;
  /** Whether the request was HEAD, or an extended CONNECT: decides what its response means. */
  headRequest: boolean;
  connect: "none" | "plain" | "extended";
  /** `sendData` said true: `onWritable` is owed. */
  blocked: boolean;

  /** What waits for windows and the sink; null when nothing does. */
  queue: SendQueue | null;
  /** RFC 9218: 0 (most urgent) to 7, and whether it shares the line with its equals. */
  urgency: number;
  incremental: boolean;

  /** Links: of the table's chain, and of the scheduler's line. */
  chained: H2Stream | null;
  ahead: H2Stream | null;
  behind: H2Stream | null;
  lined: boolean;

  constructor(id: number, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.state = "open";
    this.owner = null;
    this.request = null;
    this.response = null;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.consumed = 0;
    this.outstanding = 0;
    this.receiveLeft = -1;
    this.sendLeft = -1;
    this.received = 0;
    this.headReceived = false;
    this.headSent = false;
    this.resetCode = -1;
    this.headRequest = false;
    this.connect = "none";
    this.blocked = false;
    this.queue = null;
    this.urgency = 3;
    this.incremental = false;
    this.chained = null;
    this.ahead = null;
    this.behind = null;
    this.lined = false;
  }

  get closed(): boolean {
    return this.state === "closed";
  }

  /** Whether we may still send on it. */
  get localOpen(): boolean {
    return this.state === "open" || this.state === "half-closed-remote";
  }

  /** Whether the peer may. */
  get remoteOpen(): boolean {
    return this.state === "open" || this.state === "half-closed-local";
  }
}
