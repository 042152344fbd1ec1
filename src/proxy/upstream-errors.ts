import { NetError } from "../core/errors.ts";
import type { H1Error } from "../http/h1/fault.ts";

/** What can go wrong on an upstream's side, whatever the version of HTTP. */

/** What an upstream may keep the proxy waiting for. */
export type Wait = "first-byte" | "between-bytes";

/** `responded`: something of the response came; `cause`: what the transport said, null for a clean end. */
export function lostConnection(cause: NetError | null, responded: boolean): NetError {
  const message = responded
    ? "the upstream closed before its response was complete"
    : "the upstream closed without a response";
  const retry = responded ? "never" : "if-reused";
  return new NetError(cause?.code ?? "PREMATURE_CLOSE", message, {
    source: "upstream",
    retry,
    cause,
  });
}

export function stalled(wait: Wait): NetError {
  const first = wait === "first-byte";
  const code = first ? "FIRST_BYTE_TIMEOUT" : "BETWEEN_BYTES_TIMEOUT";
  const message = first ? "no response in time" : "the upstream stalled within a message";
  return new NetError(code, message, { source: "upstream" });
}

export function malformed(fault: H1Error | null): NetError {
  const message = fault?.message ?? "malformed response";
  return new NetError(fault?.code ?? "MALFORMED_MESSAGE", message, { source: "upstream" });
}

/** RFC 9110 §15.2.2: to follow would hand the client's next requests to whatever speaks there. */
export const unexpectedSwitch = (): NetError =>
  new NetError("MALFORMED_MESSAGE", "the upstream switched protocols unasked", {
    source: "upstream",
  });
