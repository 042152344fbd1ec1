/** The entry `millrace/grpc`: messages, statuses and rules of gRPC and gRPC-Web, and JSON transcoding. */
export { decodeHealthResponse, encodeHealthRequest, type ServingStatus } from "./health.ts";
export { type GrpcMediaType, grpcMediaType } from "./media-type.ts";
export { FrameFlag, frameMessage } from "./message-frame.ts";
export { MessageReader, type MessageSink, type ReadResult } from "./message-reader.ts";
export {
  GRPC_STATUS_NAMES,
  GrpcStatus,
  grpcStatusOfHttp,
  httpStatusOfGrpc,
  parseGrpcStatus,
} from "./status.ts";
export { decodeStatusMessage, encodeStatusMessage } from "./status-message.ts";
export { formatGrpcTimeout, parseGrpcTimeout } from "./timeout.ts";
export { BadRequest } from "./transcoding/field-text.ts";
export { BadDescriptors, type HttpBinding } from "./transcoding/http-rule.ts";
export { type TranscodingOptions, transcodingDefaults } from "./transcoding/options.ts";
export { Transcoder } from "./transcoding/transcoder.ts";
export { type CorsSettings, corsDefaults } from "./web/cors.ts";
export { parseTrailers, trailersFrame } from "./web/trailers-frame.ts";
