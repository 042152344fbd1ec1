import type { SocketAddress } from "../core/address.ts";
import type { Stream } from "../core/transport.ts";
import type { Fields } from "../http/fields.ts";
import type { Framing, RequestHead, ResponseHead } from "../http/head.ts";
import type { TlsConnection } from "../tls/engine.ts";
import type { Forwarding } from "./forwarding.ts";
import type { ListenerSettings } from "./settings.ts";
import type { Endpoint } from "./upstream/endpoint.ts";

/**
 * The two sides of an exchange, as it sees them: what carries the messages (HTTP/1.1 connections now)
 * implements these and calls the exchange's `on…` methods.
 */
export interface Downstream {
  readonly protocol: "http/1.1" | "h2";
  readonly settings: ListenerSettings;
  readonly forwarding: Forwarding;
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
  /** The client's IP address, or "unix" for a Unix socket. */
  readonly clientAddress: string;
  readonly scheme: "http" | "https";
  /** What the handshake settled; null in plain. */
  readonly tls: TlsConnection | null;
  /** An interim response (1xx other than 101). True above the high-water mark, as `sendData`. */
  sendInformational(head: ResponseHead): boolean;
  /** The final response's head; `close` announces that the connection ends with it. */
  sendHead(head: ResponseHead, framing: Framing, contentLength: number, close: boolean): void;
  /** True above the high-water mark, until `onDownstreamWritable`. */
  sendData(buf: Uint8Array, start: number, end: number): boolean;
  sendEnd(trailers: Fields | null): void;
  /** Stops the delivery of the request's body at once; what has arrived is kept. */
  holdRequest(): void;
  releaseRequest(): void;
  /** A response that cannot be finished: the client must not take it for a whole one. */
  reset(): void;
  /** The exchange let go of this side: the next request, or the end. */
  exchangeOver(): void;
  /** Hands the connection over as bytes (Upgrade, CONNECT). */
  detach(): DetachedStream;
}

/** A client's connection in any version of HTTP, as its listener keeps it. */
export interface ClientConnection {
  /** Ends with what is under way, or soon where nothing is. */
  drain(): void;
  /** Cuts everything off. */
  abort(): void;
}

/** What an attempt holds of a connection to its endpoint. */
export interface Upstream {
  readonly endpoint: Endpoint;
  /** What the TLS handshake settled; null in plain, and before there was one. */
  readonly tls: TlsConnection | null;
  readonly protocol: "http/1.1" | "h2";
  /** Whether a request to change the protocol (Upgrade) can be put to it. */
  readonly upgrades: boolean;
  /** A connection stands; before that, `attempts.connected` is still to be called. */
  readonly established: boolean;
  /** The connection served others before. */
  readonly reused: boolean;
  /** Whether any byte of a response came. */
  readonly responded: boolean;
  sendHead(head: RequestHead, framing: Framing, contentLength: number): void;
  sendData(buf: Uint8Array, start: number, end: number): boolean;
  sendEnd(trailers: Fields | null): void;
  holdResponse(): void;
  releaseResponse(): void;
  /** The exchange is done with it: kept for another request where that is safe, closed where not. */
  release(): void;
  /** Closes at once; the exchange hears no more of it. */
  cancel(): void;
  detach(): DetachedStream;
}

/** A stream taken out of HTTP, with the bytes that had arrived behind the last message. */
export interface DetachedStream {
  readonly stream: Stream;
  readonly rest: Uint8Array | null;
  /** The peer's end was heard already, and will not be told again. */
  readonly ended: boolean;
}
