/** The status codes of gRPC (grpc/grpc: doc/statuscodes.md). */
export const GrpcStatus = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcStatus = (typeof GrpcStatus)[keyof typeof GrpcStatus];

/** Names by number, as metrics and messages show them. */
export const GRPC_STATUS_NAMES: readonly string[] = Object.keys(GrpcStatus);

/**
 * What an HTTP status means to a gRPC client. Other than clients themselves do it
 * (doc/http-grpc-status-mapping.md), a proxy knows what it means by 413, 429 and 504, and says so.
 */
export function grpcStatusOfHttp(status: number): GrpcStatus {
  switch (status) {
    case 200:
      return GrpcStatus.OK;
    case 400:
      return GrpcStatus.INTERNAL;
    case 401:
      return GrpcStatus.UNAUTHENTICATED;
    case 403:
      return GrpcStatus.PERMISSION_DENIED;
    case 404:
    case 405:
    case 501:
      return GrpcStatus.UNIMPLEMENTED;
    case 408:
    case 504:
      return GrpcStatus.DEADLINE_EXCEEDED;
    case 413:
    case 429:
    case 431:
      return GrpcStatus.RESOURCE_EXHAUSTED;
    case 499:
      return GrpcStatus.CANCELLED;
    case 500:
      return GrpcStatus.INTERNAL;
    case 502:
    case 503:
      return GrpcStatus.UNAVAILABLE;
    default:
      return GrpcStatus.UNKNOWN;
  }
}

/** By `GrpcStatus`: what google.rpc.Code says of each (google/rpc/code.proto). */
const HTTP_STATUSES = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

/** The HTTP status for a gRPC status; 500 for one that there is not. */
export const httpStatusOfGrpc = (status: number): number => HTTP_STATUSES[status] ?? 500;

/** The number in a grpc-status field; UNKNOWN for what is none, or missing. */
export function parseGrpcStatus(text: string | undefined): number {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return GrpcStatus.UNKNOWN;
  return Number(text);
}
