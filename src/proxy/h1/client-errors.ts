import { type ErrorCode, NetError } from "../../core/errors.ts";
import type { H1Error } from "../../http/h1/fault.ts";

/** What can go wrong on a client's side, each with the words that the log gives it. */

export const headTimeout = (): NetError =>
  client("HEAD_TIMEOUT", "the request's head took too long");

export const bodyTimeout = (): NetError => client("BODY_TIMEOUT", "the request's body stalled");

export const writeTimeout = (): NetError =>
  client("WRITE_TIMEOUT", "the client took nothing of the response");

export const endedWithin = (): NetError =>
  client("PREMATURE_CLOSE", "the client ended within its request");

export const plainOnTls = (): NetError =>
  client("PLAIN_ON_TLS", "a plain HTTP request came where TLS is spoken");

/** `cause`: what the transport said, or null for a clean end. */
export function closedEarly(cause: NetError | null): NetError {
  const message = "the client closed before the response was complete";
  return new NetError(cause?.code ?? "ABORTED", message, { source: "downstream", cause });
}

export function malformed(fault: H1Error | null): NetError {
  return new NetError(fault?.code ?? "MALFORMED_MESSAGE", fault?.message ?? "malformed request", {
    source: "downstream",
    ...(fault === null ? {} : { status: fault.status }),
  });
}

const client = (code: ErrorCode, message: string): NetError =>
  new NetError(code, message, { source: "downstream" });

/** Not the client's doing: the proxy stops, and waits no longer. */
export const cutOff = (): NetError =>
  new NetError("DRAINING", "cut off: the time for draining was over", { source: "internal" });
