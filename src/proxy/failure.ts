import { NetError } from "../core/errors.ts";

/** The status that answers an error (RFC 9110 §15): 0 when nobody is left to be answered. */
export function statusOf(error: NetError): number {
  if (error.status !== undefined) return error.status;
  switch (error.code) {
    case "HEAD_TIMEOUT":
    case "BODY_TIMEOUT":
      return 408;
    case "BODY_TOO_LARGE":
      return 413;
    case "TARGET_TOO_LONG":
      return 414;
    case "HEAD_TOO_LARGE":
      return error.source === "downstream" ? 431 : 502;
    case "UNSUPPORTED":
      return error.source === "downstream" ? 501 : 502;
    case "NO_ROUTE":
      return 404;
    case "NO_ENDPOINT":
    case "CONNECTION_LIMIT":
    case "DRAINING":
      return 503;
    case "CONNECT_TIMEOUT":
    case "FIRST_BYTE_TIMEOUT":
    case "BETWEEN_BYTES_TIMEOUT":
    case "TOTAL_TIMEOUT":
      return 504;
    case "HOOK_FAILED":
    case "INTERNAL":
      return 500;
    case "PLAIN_ON_TLS":
      return 400;
    case "MALFORMED_MESSAGE":
      return error.source === "downstream" ? 400 : 502;
    default:
      return error.source === "downstream" ? 0 : error.source === "upstream" ? 502 : 500;
  }
}

/** What was done when an attempt failed: what a retry depends on. */
export interface AttemptState {
  readonly attempts: number;
  readonly maxAttempts: number;
  /** The connection had served a request before. */
  readonly reused: boolean;
  /** Any byte of this request went to the socket. */
  readonly sent: boolean;
  /** Any byte of a response came back. */
  readonly responded: boolean;
  /** All that was sent can be sent again. */
  readonly replayable: boolean;
  readonly idempotent: boolean;
  readonly nonIdempotentAllowed: boolean;
}

/**
 * Whether to try once more (Pingora's rules, RFC 9110 §9.2.2): what never left may always be sent
 * again, and so may what the server says it did nothing with ("always", RFC 9113 §8.7); on a reused
 * connection that died silently the server may have closed it before it read the request, which is safe
 * for idempotent methods alone unless the configuration says otherwise.
 */
export function mayRetry(error: NetError, attempt: AttemptState): boolean {
  if (attempt.attempts >= attempt.maxAttempts) return false;
  if (attempt.responded || !attempt.replayable) return false;
  if (error.retry === "never") return false;
  if (error.retry === "always") return true;
  if (!attempt.reused) return false;
  return !attempt.sent || attempt.idempotent || attempt.nonIdempotentAllowed;
}

/** RFC 9110 §9.2.2. */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case "GET":
    case "HEAD":
    case "OPTIONS":
    case "TRACE":
    case "PUT":
    case "DELETE":
      return true;
    default:
      return false;
  }
}

/** What a hook threw, as an error of its request; a NetError of its own making keeps its meaning. */
export function hookError(hook: string, cause: unknown): NetError {
  if (cause instanceof NetError) return cause;
  const words = cause instanceof Error ? cause.message : String(cause);
  return new NetError("HOOK_FAILED", `${hook} failed: ${words}`, { source: "internal", cause });
}
