import { NetError } from "../../core/errors.ts";
import { H2Code } from "../../http/h2/error-code.ts";
import { Faults, type H2Fault } from "../../http/h2/fault.ts";
import type { StreamReset } from "../../http/h2/owner.ts";
import { lostConnection } from "../upstream-errors.ts";

/**
 * What the end of a stream before its time means for the request on it; `responded`: something of the
 * response came; `lost`: what is known of a connection that is gone.
 */
export function resetError(
  reset: StreamReset,
  responded: boolean,
  lost: NetError | null,
): NetError {
  const { by, code, fault, unprocessed } = reset;
  if (unprocessed) return givenBack(by, code);
  if (by === "fault" && fault !== null) return malformed(fault);
  if (by === "peer") {
    const message = `the upstream reset the stream (${nameOf(code)})`;
    return new NetError("PREMATURE_CLOSE", message, { source: "upstream" });
  }
  return connectionLost(fault, responded, lost);
}

/** RFC 9113 §8.7: the server did nothing with it, so that any request may be sent again. */
function givenBack(by: StreamReset["by"], code: H2Code): NetError {
  const message =
    by === "peer" ? "the upstream refused the stream" : `the upstream goes away (${nameOf(code)})`;
  return new NetError("PREMATURE_CLOSE", message, { source: "upstream", retry: "always" });
}

const malformed = ({ errorCode, message }: H2Fault): NetError =>
  new NetError(errorCode === "BODY_TOO_LARGE" ? "MALFORMED_MESSAGE" : errorCode, message, {
    source: "upstream",
  });

const notHttp2 =
  "the upstream does not speak HTTP/2: what came first is not SETTINGS; with protocol: http1 it might answer";

/** The connection took the stream along; whether the server had begun with it is not known. */
function connectionLost(
  fault: H2Fault | null,
  responded: boolean,
  lost: NetError | null,
): NetError {
  if (fault === null) return lostConnection(lost, responded);
  const code = fault === Faults.pingTimeout ? "ETIMEDOUT" : "MALFORMED_MESSAGE";
  const retry = responded ? "never" : "if-reused";
  const message = fault === Faults.firstFrame ? notHttp2 : fault.message;
  return new NetError(code, message, { source: "upstream", retry });
}

/** Nothing of a request has left, and there is no stream for it. */
export const noStream = (lost: NetError | null): NetError =>
  new NetError(
    lost?.code ?? "PREMATURE_CLOSE",
    "the upstream's connection takes no more requests",
    {
      source: "upstream",
      retry: "always",
      cause: lost,
    },
  );

function nameOf(code: H2Code): string {
  for (const [name, value] of Object.entries(H2Code)) if (value === code) return name;
  return `code ${code}`;
}
