import type { SocketAddress } from "../core/address.ts";
import type { NetError } from "../core/errors.ts";
import type { Duration } from "../core/time.ts";
import type { ConnectOptions, Stream, StreamHandler, Transport } from "../core/transport.ts";
import type { TlsClient } from "./client.ts";
import type { TlsTarget } from "./client-config.ts";
import type { ClientHello } from "./client-hello.ts";
import type { TlsConnection } from "./engine.ts";
import type { TlsServer } from "./server.ts";

/**
 * A stream whose bytes are encrypted on the way. It keeps core's contract of a `Stream`: `end` sends
 * close_notify and then ends the transport; an end of the transport without the peer's close_notify
 * closes it with TLS_TRUNCATED and is never told as `onEnd`.
 */
export interface TlsStream extends Stream {
  /** Null before the handshake is complete. */
  readonly connection: TlsConnection | null;
}

export interface TlsAcceptOptions {
  readonly server: TlsServer;
  readonly transport: Transport;
  /** From the accept to the end of the handshake. Default: 10 s. */
  readonly timeout?: Duration;
  /**
   * Decides what becomes of a connection once its ClientHello is known. A handler takes the transport's
   * stream over as it is, unterminated: it is told all bytes from the first. Null: terminate here.
   */
  readonly onHello?: (hello: ClientHello, stream: Stream) => StreamHandler | null;
  /** A handshake that failed. No stream of it was ever told to the acceptor. */
  readonly onFailure?: (error: NetError, remote: SocketAddress) => void;
}

/** Called when a handshake is complete; returns the stream's owner, or null to refuse. */
export type TlsAcceptor = (stream: TlsStream) => StreamHandler | null;

export interface TlsConnectOptions extends ConnectOptions {
  readonly client: TlsClient;
  readonly target: TlsTarget;
  /** `timeout` bounds TCP and TLS together; past it the stream closes with CONNECT_TIMEOUT. */
  readonly timeout?: Duration;
}
