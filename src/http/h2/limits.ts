import { type Duration, seconds } from "../../core/time.ts";

/**
 * What a session bounds. All of it is per connection. Octets and counts, if nothing else is said.
 */
export interface H2Limits {
  /**
   * Streams that the peer may have open (SETTINGS_MAX_CONCURRENT_STREAMS); more: REFUSED_STREAM.
   */
  readonly concurrentStreams: number;
  /** A stream's receive window: what its owner may have to hold. */
  readonly streamWindow: number;
  /** The connection's receive window: what all owners together may have to hold. */
  readonly connectionWindow: number;
  /** A frame's payload, at least 16,384 (SETTINGS_MAX_FRAME_SIZE). */
  readonly frameSize: number;
  /** Fields of a head or of trailers, names, values and 32 for each; past it 431 (HPACK bombs). */
  readonly headerList: number;
  /** Number of fields; past it 431. */
  readonly fields: number;
  /** :method and :path together; past it 431. */
  readonly requestLine: number;
  /** A field block as it is sent; past it the connection ends (CONTINUATION flood). */
  readonly headerBlock: number;
  /** CONTINUATION frames of a block; past it the connection ends. */
  readonly continuations: number;
  /** Content of one request; past it 413. May be `Infinity`. */
  readonly body: number;

  // Floods. A budget is full at first and fills up again at a rate a second; a frame that finds it
  // empty ends the connection with ENHANCE_YOUR_CALM.

  /**
   * Streams that the peer reset, refused ones, or such as we had to reset for a fault of the peer
   * (rapid reset). Each stream that comes to its proper end allows one more.
   */
  readonly resets: Budget;
  /**
   * SETTINGS, PING, GOAWAY, PRIORITY, PRIORITY_UPDATE, frames of unknown types, interim responses.
   */
  readonly control: Budget;
  /** DATA without data that does not end a stream. */
  readonly emptyData: Budget;
  /** WINDOW_UPDATE; ten more are allowed for each DATA frame that we send. */
  readonly windowUpdates: Budget;
  /** Octets of answers (acknowledgments, resets) that wait for a peer that does not read. */
  readonly unreadAnswers: number;

  /** From our SETTINGS to its acknowledgment; past it SETTINGS_TIMEOUT. */
  readonly settingsTimeout: Duration;
  /**
   * From a field block's first frame to its last, from a frame's first octet to its last (not
   * DATA).
   */
  readonly headTimeout: Duration;
  /** A window that stays shut while something waits for it: the stream is reset. */
  readonly stallTimeout: Duration;
  /** From a PING of ours to its answer; past it the connection is given up. */
  readonly pingTimeout: Duration;
}

export interface Budget {
  readonly burst: number;
  readonly perSecond: number;
}

export const DEFAULT_LIMITS: H2Limits = {
  concurrentStreams: 128,
  streamWindow: 256 * 1024,
  connectionWindow: 4 * 1024 * 1024,
  frameSize: 16_384,
  headerList: 64 * 1024,
  fields: 256,
  requestLine: 16 * 1024,
  headerBlock: 64 * 1024,
  continuations: 16,
  body: Number.POSITIVE_INFINITY,
  resets: { burst: 1000, perSecond: 33 },
  control: { burst: 1000, perSecond: 100 },
  emptyData: { burst: 200, perSecond: 20 },
  windowUpdates: { burst: 4000, perSecond: 1000 },
  unreadAnswers: 64 * 1024,
  settingsTimeout: seconds(10),
  headTimeout: seconds(10),
  stallTimeout: seconds(60),
  pingTimeout: seconds(15),
};
