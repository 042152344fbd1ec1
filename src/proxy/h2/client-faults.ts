import { NetError } from "../../core/errors.ts";
import type { H2Fault } from "../../http/h2/fault.ts";
import type { StreamReset } from "../../http/h2/owner.ts";

/** What a client did wrong in HTTP/2, as an error of the request that suffers from it. */
export const faultError = ({ errorCode, message, status }: H2Fault): NetError =>
  new NetError(errorCode, message, { source: "downstream", status });

/** The client took its request back. */
const takenBack = (code: number): NetError =>
  new NetError("ABORTED", `the client reset the stream (code ${code})`, { source: "downstream" });

/** Why a request ended with its stream; `connection`: what is known of a connection that is lost. */
export function resetError(reset: StreamReset, connection: NetError | null): NetError {
  const { by, code, fault } = reset;
  if (fault !== null) return unanswered(fault);
  if (by === "connection" && connection !== null) return connection;
  return takenBack(code);
}

/** Nobody is left to hear its status. */
const unanswered = ({ errorCode, message }: H2Fault): NetError =>
  new NetError(errorCode, message, { source: "downstream" });
