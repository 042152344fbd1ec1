import { type Duration, seconds } from "../../core/time.ts";

/** How a listener serves HTTP/2. Plain data: it crosses to worker threads. Bounds are per connection. */
export interface Http2Settings {
  /** Requests that a client may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS). */
  readonly maxConcurrentStreams: number;
  /** Bytes of a request's body that may arrive before the upstream has taken them. */
  readonly initialWindow: number;
  /** The same for all requests of a connection together. */
  readonly connectionWindow: number;
  /** The largest frame that a client may send. */
  readonly maxFrameSize: number;
  /** A client with open requests of which nothing is heard for so long is asked by PING; null: never. */
  readonly keepAlive: Duration | null;
  /** What ends a connection that passes it, with ENHANCE_YOUR_CALM. */
  readonly floods: FloodLimits;
}

export interface FloodLimits {
  /** Requests that the client took back, or that were refused or wrong. */
  readonly resets: FloodLimit;
  /** SETTINGS, PING, PRIORITY and unknown frames. */
  readonly control: FloodLimit;
  /** DATA without data. */
  readonly emptyData: FloodLimit;
  /** WINDOW_UPDATE beyond ten for each DATA frame that was sent. */
  readonly windowUpdates: FloodLimit;
}

/** So many at once, and so many a second for ever. */
export interface FloodLimit {
  readonly burst: number;
  readonly perSecond: number;
}

export const http2Defaults: Http2Settings = {
  maxConcurrentStreams: 128,
  initialWindow: 256 * 1024,
  connectionWindow: 4 * 1024 * 1024,
  maxFrameSize: 16 * 1024,
  keepAlive: seconds(60),
  floods: {
    resets: { burst: 1000, perSecond: 33 },
    control: { burst: 1000, perSecond: 100 },
    emptyData: { burst: 200, perSecond: 20 },
    windowUpdates: { burst: 4000, perSecond: 1000 },
  },
};
