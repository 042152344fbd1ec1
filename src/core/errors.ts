/** Whose fault an error is: the client that called us, the server that we called, or us. */
export type ErrorSource = "downstream" | "upstream" | "internal";

/** Whether the same work may be tried again: `if-reused` only when it failed on a kept connection. */
export type Retry = "never" | "always" | "if-reused";

/**
 * What happened. Codes from the socket layer keep the operating system's names, the others are ours;
 * a code never changes its meaning.
 */
export type ErrorCode =
  // sockets
  | "ECONNREFUSED"
  | "ECONNRESET"
  | "ETIMEDOUT"
  | "EHOSTUNREACH"
  | "ENETUNREACH"
  | "EADDRINUSE"
  | "EADDRNOTAVAIL"
  | "EACCES"
  | "EMSGSIZE"
  | "EPIPE"
  | "EMFILE"
  | "ENOENT"
  | "EINVAL"
  | "ESOCKET"
  | "ENOTFOUND"
  | "ABORTED"
  // timeouts
  | "CONNECT_TIMEOUT"
  | "HEAD_TIMEOUT"
  | "BODY_TIMEOUT"
  | "FIRST_BYTE_TIMEOUT"
  | "BETWEEN_BYTES_TIMEOUT"
  | "TOTAL_TIMEOUT"
  | "WRITE_TIMEOUT"
  // TLS
  | "TLS_HANDSHAKE"
  | "TLS_CERTIFICATE"
  | "TLS_PROTOCOL"
  | "TLS_TRUNCATED"
  | "TLS_TIMEOUT"
  | "PLAIN_ON_TLS"
  // HTTP
  | "MALFORMED_MESSAGE"
  | "HEAD_TOO_LARGE"
  | "TARGET_TOO_LONG"
  | "BODY_TOO_LARGE"
  | "UNSUPPORTED"
  | "PREMATURE_CLOSE"
  // proxying
  | "NO_ROUTE"
  | "NO_ENDPOINT"
  | "CONNECTION_LIMIT"
  | "HOOK_FAILED"
  | "DRAINING"
  | "INTERNAL";

export interface NetErrorOptions {
  readonly source: ErrorSource;
  readonly retry?: Retry;
  readonly cause?: unknown;
  /** The HTTP status that answers this error where one is owed. */
  readonly status?: number;
}

/** An error of the network: what, whose fault, may it be tried again, why (Pingora's taxonomy). */
export class NetError extends Error {
  override readonly name = "NetError";
  readonly code: ErrorCode;
  readonly source: ErrorSource;
  readonly retry: Retry;
  readonly status: number | undefined;

  constructor(code: ErrorCode, message: string, options: NetErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.source = options.source;
    this.retry = options.retry ?? "never";
    this.status = options.status;
  }
}
