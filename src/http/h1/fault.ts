import type { ErrorCode } from "../../core/errors.ts";

/** Why a message was refused. */
export interface H1Error {
  /** What answers a request that is wrong so; 502 for a response. */
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What parsers return in place of a position. `incomplete` is not an error: more input is needed. */
export const Fault = {
  incomplete: -1,
  method: -2,
  requestLine: -3,
  target: -4,
  version: -5,
  versionUnsupported: -6,
  statusLine: -7,
  bareCr: -8,
  bareLf: -9,
  control: -10,
  obsFold: -11,
  fieldName: -12,
  spaceBeforeColon: -13,
  noColon: -14,
  host: -15,
  hostMissing: -16,
  hostRepeated: -17,
  contentLength: -18,
  contentLengthRepeated: -19,
  lengthAndCoding: -20,
  coding: -21,
  codingUnsupported: -22,
  codingInOldVersion: -23,
  connectBody: -24,
  connectionOptions: -25,
  chunkSize: -26,
  chunkExtension: -27,
  chunkEnd: -28,
  emptyLines: -29,
  requestLineTooLong: -30,
  headTooLarge: -31,
  tooManyFields: -32,
  bodyTooLarge: -33,
  trailersTooLarge: -34,
  chunkExtensionTooLong: -35,
  prematureClose: -36,
} as const;

const REQUEST: readonly H1Error[] = [
  bad("incomplete message"),
  bad("method is not a token"),
  bad("request line is not method, target and version between single spaces"),
  bad("request target is not valid"),
  bad("HTTP version is not valid"),
  { status: 505, code: "UNSUPPORTED", message: "HTTP version is not 1.x" },
  bad("status line is not valid"),
  bad("CR without LF"),
  bad("LF without CR"),
  bad("control character"),
  bad("folded field line"),
  bad("field name is not a token"),
  bad("white space between field name and colon"),
  bad("field line without a colon"),
  bad("Host is not valid"),
  bad("Host is missing"),
  bad("more than one Host"),
  bad("Content-Length is not a number"),
  bad("more than one Content-Length"),
  bad("both Content-Length and Transfer-Encoding"),
  bad("Transfer-Encoding does not end in a single chunked"),
  { status: 501, code: "UNSUPPORTED", message: "transfer coding other than chunked" },
  bad("Transfer-Encoding in HTTP/1.0"),
  bad("CONNECT with a body"),
  bad("too many connection options"),
  bad("chunk size is not valid"),
  bad("chunk extension is not valid"),
  bad("chunk does not end in CRLF"),
  bad("too many empty lines before the request"),
  { status: 414, code: "TARGET_TOO_LONG", message: "request line is too long" },
  { status: 431, code: "HEAD_TOO_LARGE", message: "head is too large" },
  { status: 431, code: "HEAD_TOO_LARGE", message: "too many fields" },
  { status: 413, code: "BODY_TOO_LARGE", message: "body is too large" },
  { status: 431, code: "HEAD_TOO_LARGE", message: "trailer section is too large" },
  bad("chunk extensions are too long"),
  { status: 400, code: "PREMATURE_CLOSE", message: "connection closed within a message" },
];

const RESPONSE: readonly H1Error[] = REQUEST.map((error) => ({ ...error, status: 502 }));

/** The error of a request that a parser found at fault. */
export function requestError(fault: number): H1Error {
  return REQUEST[-fault - 1]!;
}

/** The error of a response that a parser found at fault. */
export function responseError(fault: number): H1Error {
  return RESPONSE[-fault - 1]!;
}

function bad(message: string): H1Error {
  return { status: 400, code: "MALFORMED_MESSAGE", message };
}
