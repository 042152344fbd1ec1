import type { Fields } from "../fields.ts";
import type { RequestHead } from "../request-head.ts";
import type { ResponseHead } from "../response-head.ts";
import type { H2Code } from "./error-code.ts";
import type { H2Fault } from "./fault.ts";
import type { H2Stream } from "./stream.ts";

/** How a stream ended before its time. */
export interface StreamReset {
  /** What RST_STREAM or GOAWAY said. */
  readonly code: H2Code;
  /** Who ended it: the peer, this side for a fault of the peer, or the loss of the connection. */
  readonly by: "peer" | "fault" | "connection";
  /**
   * The peer says that it did nothing with the request (RFC 9113 §8.7): it is safe to send it
   * again.
   */
  readonly unprocessed: boolean;
  /** For "fault", and for "connection" where a fault ended it. */
  readonly fault: H2Fault | null;
}

/**
 * What owns a stream hears, in this order:
 *
 *     (onHead (onData)* onEnd?)  — for client streams after any number of interim heads;
 *     onWritable at any time; onReset at any time, and then nothing more
 *
 * Calls come from within `receive`, `onWritable`, `handleTimeout`, `close` of the session, never
 * from within a command on a stream. Nothing more is heard of a stream once its owner has ended it
 * with `sendEnd` and has heard its end; of a request nothing more is heard once its response was
 * ended. A client whose request is not ended may hear `onReset` behind `onEnd`: with NO_ERROR, the
 * server had no use for the rest, and the response stands.
 */
export interface StreamOwner {
  /**
   * Content buf[start, end). Borrowed: valid until the call returns; to keep is to copy. It counts
   * against the windows until the owner calls `session.consumed`.
   */
  onData(buf: Uint8Array, start: number, end: number): void;
  /** The peer's message is complete. Trailers are borrowed, too. */
  onEnd(trailers: Fields | null): void;
  /** `sendData` said true, and what it left behind has gone. */
  onWritable(): void;
  /** The stream is gone. Last. */
  onReset(reset: StreamReset): void;
}

/** Owns a stream of a server session: a request that comes and the response to it. */
export interface RequestOwner extends StreamOwner {
  /** Is filled before `onHead`. */
  readonly request: RequestHead;
  /** `ended`: there is no content; `onEnd` will not be called. */
  onHead(ended: boolean): void;
  /**
   * The request is malformed, or too large: nothing more of it is delivered. The owner answers with
   * `fault.status`, or calls `reset`; an answer is followed by RST_STREAM with the fault's code.
   */
  onMalformed(fault: H2Fault): void;
}

/** Owns a stream of a client session: a request of ours and the response that comes. */
export interface ResponseOwner extends StreamOwner {
  /** Is filled before each `onHead`. */
  readonly responseHead: ResponseHead;
  /** An interim head (`status` < 200 and not 101), or the final one; `ended` as above. */
  onHead(ended: boolean): void;
}

/** What the owner of a session hears. */
export interface SessionOwner {
  /**
   * The session is over because of a fault of the peer, a missed deadline included. All streams
   * have heard of it, and a GOAWAY is in the sink: close the transport once that is sent.
   */
  onFailure(fault: H2Fault): void;
  /**
   * No stream is left, told from within `receive`, `flush` and the like. Where `session.finished`,
   * the transport can be closed; a drained session says it again when that has become true.
   */
  onQuiet(): void;
}

export interface ServerOwner extends SessionOwner {
  /** A request begins: who owns it, or null to refuse it (REFUSED_STREAM: the client may retry). */
  onRequest(stream: H2Stream): RequestOwner | null;
}

export interface ClientOwner extends SessionOwner {
  /** `session.available` is no longer 0, or changed by GOAWAY or SETTINGS. */
  onAvailable(): void;
}
