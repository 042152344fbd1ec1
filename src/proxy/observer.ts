import type { NetError } from "../core/errors.ts";
import type { TlsConnection } from "../tls/engine.ts";
import type { Session } from "./session-api.ts";
import type { TunnelKind } from "./tunnel.ts";
import type { MessageDirection } from "./websocket/message.ts";

/** What the proxy tells of itself: metrics and logs hang here. Calls are synchronous and cheap. */
export interface ProxyObserver {
  connectionOpened(listener: string): void;
  connectionClosed(listener: string): void;
  /** A connection past the listener's limit, closed unserved. */
  connectionRefused(listener: string): void;
  /** A client's TLS handshake is complete; `connectionOpened` was told before. */
  tlsOpened(listener: string, connection: TlsConnection): void;
  /** It failed, and the connection is closed; `connectionClosed` follows. */
  tlsFailed(listener: string, error: NetError): void;
  /** A client's connection speaks HTTP/2; `connectionOpened` was told before. */
  http2Opened(listener: string): void;
  /** A request begins on a stream of HTTP/2. */
  http2StreamOpened(listener: string): void;
  /** The client took a request back. */
  http2StreamReset(listener: string): void;
  /** The client broke the rules of HTTP/2 or went beyond a limit; `reason` is one of `Faults`. */
  http2Fault(listener: string, reason: string): void;
  /** A request became a tunnel, which its `tunnelClosed` ends. */
  tunnelOpened(listener: string, kind: TunnelKind): void;
  tunnelClosed(listener: string, kind: TunnelKind): void;
  /** A message of a WebSocket came whole, for a program that looks at them; octets when inflated. */
  webSocketMessage(listener: string, direction: MessageDirection, octets: number): void;
  /** A request is over; `session.summary` has the figures. Also for messages that never parsed. */
  requestEnded(session: Session): void;
  upstreamConnected(upstream: string): void;
  upstreamClosed(upstream: string): void;
  upstreamConnectFailed(upstream: string, error: NetError): void;
  retried(upstream: string, error: NetError): void;
  /** A body was encoded or decoded on its way to the client, or as much of it as was wanted. */
  bodyCoded(
    listener: string,
    direction: "encode" | "decode",
    coding: string,
    bytesIn: number,
    bytesOut: number,
  ): void;
  /** Something an operator should know, in words for people; nothing is broken here. */
  notice(message: string): void;
  /** A fault of ours or of a user's hook, with its stack. */
  fault(where: string, error: unknown): void;
}
