/** TLS over any `Stream`: engines without a socket, servers and clients, streams. */
export { acceptTls } from "./accept.ts";
export { createTlsClient, type TlsClient } from "./client.ts";
export type { TlsClientConfig, TlsTarget } from "./client-config.ts";
export { type ClientHello, type HelloFault, parseClientHello } from "./client-hello.ts";
export { connectTls } from "./connect.ts";
export type {
  PeerCertificate,
  TlsConnection,
  TlsEngine,
  TlsEngineOwner,
  TlsState,
} from "./engine.ts";
export type {
  Pem,
  TlsKeyPair,
  TlsPolicy,
  TlsProtocolSettings,
  TlsVersion,
} from "./protocol-settings.ts";
export { createTlsServer, type TlsServer } from "./server.ts";
export {
  type ClientAuthentication,
  type HelloHook,
  type HelloVerdict,
  type ServerCertificate,
  TICKET_KEY_LENGTH,
  type TlsServerConfig,
} from "./server-config.ts";
export type {
  TlsAcceptOptions,
  TlsAcceptor,
  TlsConnectOptions,
  TlsStream,
} from "./stream-api.ts";
