/** TLS over any `Stream`: engines without a socket, servers and clients, streams. */
export type { TlsClient } from "./client.ts";
export type { TlsClientConfig, TlsTarget } from "./client-config.ts";
export type { ClientHello } from "./client-hello.ts";
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
export type { TlsServer } from "./server.ts";
export {
  type ClientAuthentication,
  type ServerCertificate,
  TICKET_KEY_LENGTH,
  type TlsServerConfig,
} from "./server-config.ts";
export type {
  AcceptTls,
  ConnectTls,
  TlsAcceptOptions,
  TlsAcceptor,
  TlsConnectOptions,
  TlsStream,
} from "./stream-api.ts";
