import type { ErrorCode } from "../../core/errors.ts";
import { H2Code } from "./error-code.ts";

/**
 * Why a stream or a connection was ended because of its peer. Faults are constants: compare by
 * `reason`.
 */
export interface H2Fault {
  /** What RST_STREAM or GOAWAY says. */
  readonly code: H2Code;
  /** A stable word for logs and metrics. */
  readonly reason: string;
  readonly message: string;
  /** What answers a request that is wrong so; a response that is counts as 502. */
  readonly status: number;
  readonly errorCode: ErrorCode;
}

const of = (
  code: H2Code,
  reason: string,
  message: string,
  status = 400,
  errorCode: ErrorCode = "MALFORMED_MESSAGE",
): H2Fault => ({ code, reason, message, status, errorCode });

const { protocolError, enhanceYourCalm, streamClosed, flowControlError } = H2Code;
const calm = (reason: string, message: string): H2Fault => of(enhanceYourCalm, reason, message);
const wrong = (reason: string, message: string): H2Fault => of(protocolError, reason, message);

export const Faults = {
  // the connection's framing
  preface: wrong("preface", "what came first is not the connection preface"),
  firstFrame: wrong("first-frame", "the first frame is not SETTINGS"),
  frameSize: of(H2Code.frameSizeError, "frame-size", "a frame's length does not go with its type"),
  frameTooLarge: of(H2Code.frameSizeError, "frame-too-large", "a frame is larger than was allowed"),
  padding: wrong("padding", "padding takes more than the frame"),
  streamZero: wrong("stream-zero", "a frame of a stream on stream 0"),
  notStreamZero: wrong("not-stream-zero", "a frame of the connection on a stream"),
  continuation: wrong("continuation", "CONTINUATION expected and not got, or the other way round"),
  compression: of(H2Code.compressionError, "compression", "a field block does not decode"),
  push: wrong("push", "PUSH_PROMISE, which was never allowed"),
  settingValue: wrong("setting-value", "a setting has a value that it cannot have"),
  windowSetting: of(
    flowControlError,
    "window-setting",
    "SETTINGS_INITIAL_WINDOW_SIZE is too large",
  ),
  settingsAck: wrong("settings-ack", "SETTINGS acknowledged that were not sent"),
  settingsTimeout: of(
    H2Code.settingsTimeout,
    "settings-timeout",
    "SETTINGS not acknowledged in time",
  ),
  goawayGrew: wrong("goaway-grew", "a second GOAWAY names a higher stream"),
  pingTimeout: of(H2Code.noError, "ping-timeout", "no answer to PING: the peer is gone"),
  // states of streams
  streamId: wrong("stream-id", "a stream identifier that the peer may not use, or out of order"),
  idleStream: wrong("idle-stream", "a frame for a stream that nobody opened"),
  streamClosed: of(streamClosed, "stream-closed", "a frame for a stream that the peer has ended"),

  // flow control
  window: of(flowControlError, "window", "more DATA than the window allows"),
  windowOverflow: of(flowControlError, "window-overflow", "a window beyond 2^31-1"),
  windowZero: wrong("window-zero", "WINDOW_UPDATE by 0"),
  // messages (RFC 9113 §8): faults of one stream
  fieldSyntax: wrong("field-syntax", "a field's name or value is not valid"),
  pseudoHeader: wrong("pseudo-header", "pseudo-headers unknown, doubled, missing or out of place"),
  connectionField: wrong("connection-field", "a field that belongs to a connection"),
  target: wrong("target", "method, path or authority is not valid"),
  host: wrong("host", "Host is missing, doubled, or differs from :authority"),
  status: of(protocolError, "status", "the status is not valid", 502),
  contentLength: wrong(
    "content-length",
    "Content-Length is not a number, doubled, or not the truth",
  ),
  bodyTooLarge: of(H2Code.noError, "body-too-large", "body is too large", 413, "BODY_TOO_LARGE"),
  headTooLarge: of(enhanceYourCalm, "head-too-large", "head is too large", 431, "HEAD_TOO_LARGE"),
  trailers: wrong("trailers", "trailers without the end of the stream"),
  informational: wrong("informational", "an interim response that ends the stream, or comes late"),
  // abuse: each ends the connection with ENHANCE_YOUR_CALM, if nothing else is said
  refused: of(H2Code.refusedStream, "refused", "more streams than were allowed"),
  rapidReset: calm("rapid-reset", "too many streams reset"),
  continuationFlood: calm("continuation-flood", "a field block of too many octets or frames"),
  controlFlood: calm("control-flood", "too many SETTINGS, PING, PRIORITY or unknown frames"),
  emptyFlood: calm("empty-flood", "too many empty frames"),
  windowFlood: calm("window-flood", "too many WINDOW_UPDATEs for what was sent"),
  unreadAnswers: calm("unread-answers", "answers are asked for and not read"),
  stalled: calm("stalled", "a window was kept shut for too long"),
  headTimeout: calm("head-timeout", "a field block took too long"),
} as const satisfies Record<string, H2Fault>;
