import type { H2Limits } from "../../http/h2/limits.ts";
import { DEFAULT_LIMITS } from "../../http/h2/limits.ts";
import type { ListenerSettings } from "../settings.ts";
import type { Http2Settings } from "./settings.ts";

/** What a listener's settings mean for the machine of a connection. */
export function clientLimits(
  { limits, timeouts }: ListenerSettings,
  http2: Http2Settings,
): H2Limits {
  return {
    ...DEFAULT_LIMITS,
    ...http2.floods,
    concurrentStreams: http2.maxConcurrentStreams,
    streamWindow: http2.initialWindow,
    connectionWindow: http2.connectionWindow,
    frameSize: http2.maxFrameSize,
    headerList: limits.head,
    // Compressed, a head that is not too large fits.
    headerBlock: Math.max(limits.head, 16 * 1024),
    fields: limits.fields,
    requestLine: limits.requestLine,
    body: limits.body,
    headTimeout: timeouts.head,
    stallTimeout: timeouts.write,
  };
}
