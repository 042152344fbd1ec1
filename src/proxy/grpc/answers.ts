import type { NetError } from "../../core/errors.ts";
import { grpcMediaType } from "../../grpc/media-type.ts";
import { GrpcStatus, grpcStatusOfHttp } from "../../grpc/status.ts";
import { encodeStatusMessage } from "../../grpc/status-message.ts";
import { reasonPhrase } from "../../http/status.ts";
import { statusOf } from "../failure.ts";
import type { LocalResponse } from "../local-response.ts";
import type { GrpcCall } from "./call.ts";

/** The status of gRPC that answers an error (doc/statuscodes.md). */
export function grpcStatusOf(error: NetError): GrpcStatus {
  switch (error.code) {
    case "TOTAL_TIMEOUT":
    case "FIRST_BYTE_TIMEOUT":
    case "BETWEEN_BYTES_TIMEOUT":
      return GrpcStatus.DEADLINE_EXCEEDED;
    // Nothing was done yet: it may be tried again.
    case "CONNECT_TIMEOUT":
      return GrpcStatus.UNAVAILABLE;
    default: {
      const status = statusOf(error);
      return status === 0 ? GrpcStatus.CANCELLED : grpcStatusOfHttp(status);
    }
  }
}

/** How a call ended: as its upstream said, or else by what broke it off. */
export function endOfCall({ status }: GrpcCall, failure: NetError | null): number {
  if (status !== -1) return status;
  return failure === null ? GrpcStatus.UNKNOWN : grpcStatusOf(failure);
}

/** A short text for people: what, never why. */
export const statusText = (status: number): string => `${status} ${reasonPhrase(status)}`;

/**
 * Turns an answer of the proxy's own into one that gRPC clients understand: HTTP 200 with the status in the
 * head and nothing behind it (Trailers-Only). `failure`: the status for it, -1 to go by the answer's. Other
 * fields stay. What a hook made as an answer of gRPC is left alone, and so is what it lets succeed.
 */
export function answerAsGrpc(local: LocalResponse, failure: number): number {
  const { fields, status } = local;
  const own = fields.get("grpc-status");
  if (own !== undefined) {
    if (local.body === null) local.bare = true;
    return Number(own);
  }
  if (status < 300 || grpcMediaType(fields.get("content-type")) !== null) return GrpcStatus.UNKNOWN;
  const code = failure === -1 ? grpcStatusOfHttp(status) : failure;
  local.become(200, null);
  local.bare = true;
  fields.set("Content-Type", "application/grpc");
  fields.set("grpc-status", String(code));
  fields.set("grpc-message", encodeStatusMessage(statusText(status)));
  return code;
}
