/** The entry `millrace/proxy`: the proxy as a part of another program. */
export {
  type Compression,
  type CompressionOptions,
  createCompression,
} from "./compression/compression.ts";
export { type CompressionSettings, compressionDefaults } from "./compression/settings.ts";
export type { Bridge, Bridging, Opened } from "./grpc/bridge.ts";
export { createTranscoding, type TranscodingInput } from "./grpc/transcoding.ts";
export { createGrpcWeb, type GrpcWebSettings } from "./grpc/web-bridge.ts";
export type { ProxyObserver } from "./observer.ts";
export type { AddressPeer, Peer, PeerTls } from "./peer.ts";
export type { ProxyProgram } from "./program.ts";
export { routeProgram } from "./route/program.ts";
export type { RouteAction, RouteMatch, RouteSettings } from "./route/settings.ts";
export { ProxyServer, type ProxyServerOptions, type ServerSnapshot } from "./server.ts";
export type { Session, Summary, UpstreamInfo } from "./session-api.ts";
export type { ListenerSettings, UpstreamSettings } from "./settings.ts";
export type { MessageDirection, MessageVerdict, WebSocketMessage } from "./websocket/message.ts";
