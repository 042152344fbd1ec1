/** The entry `millrace`: what a proxy program needs. The layers have entries of their own. */
export { defineProxy, type ProxyModule } from "./config/define.ts";
export { type ErrorCode, type ErrorSource, NetError, type Retry } from "./core/errors.ts";
export {
  type Compression,
  type CompressionOptions,
  createCompression,
} from "./proxy/compression/compression.ts";
export { createGrpcWeb } from "./proxy/grpc/web-bridge.ts";
export type { AddressPeer, Peer } from "./proxy/peer.ts";
export type {
  BodyChoice,
  BodyVerdict,
  MaybePromise,
  ProxyProgram,
  RequestVerdict,
} from "./proxy/program.ts";
export type { Session, Summary, UpstreamInfo } from "./proxy/session-api.ts";
