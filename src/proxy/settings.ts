import type { SocketAddress } from "../core/address.ts";
import type { Duration } from "../core/time.ts";
import type { Http2Settings } from "./h2/settings.ts";
import type { HealthSettings } from "./health/settings.ts";
import type { ListenerTlsSettings, UpstreamTlsSettings } from "./tls/settings.ts";

/** What one listener bounds and how it presents requests. Plain data: it crosses to worker threads. */
export interface ListenerSettings {
  readonly name: string;
  readonly limits: ListenerLimits;
  readonly timeouts: ListenerTimeouts;
  readonly forwarding: ForwardingPolicy;
  /** A client's FIN while its request is in flight: it left (nginx), or it still waits for the answer. */
  readonly halfClose: "abort" | "serve";
  /** Whether CONNECT is handed to the program; otherwise it is answered 405. */
  readonly allowConnect: boolean;
  /** HTTP/2 by ALPN, or by prior knowledge in plain; null: HTTP/1.1 alone. */
  readonly http2: Http2Settings | null;
  /** null: in plain. */
  readonly tls: ListenerTlsSettings | null;
}

export interface ListenerLimits {
  /** Bytes of the request line; past it 414. */
  readonly requestLine: number;
  /** Bytes of the whole head; past it 431. */
  readonly head: number;
  /** Number of fields; past it 431. */
  readonly fields: number;
  /** Bytes of a request's body; past it 413. `Infinity`: unbounded. */
  readonly body: number;
  /** Connections open at once by one worker; past it new ones are closed at once. */
  readonly connections: number;
  /** Requests on one connection before it is closed. */
  readonly requestsPerConnection: number;
  /** Bytes of a message of a WebSocket, inflated, where a program looks at them; past it 1009. */
  readonly webSocketMessage: number;
}

export interface ListenerTimeouts {
  /** From the first byte of a head to its last; past it 408. */
  readonly head: Duration;
  /** A connection without a request. */
  readonly idle: Duration;
  /** Between two pieces of a request's body; past it 408. */
  readonly body: Duration;
  /** A client that takes nothing of what is queued for it. */
  readonly write: Duration;
  /** A tunnel (WebSocket, CONNECT) in which nothing moves either way. */
  readonly tunnel: Duration;
}

/** Which fields tell the upstream (and the client, for Via) about this hop. */
export interface ForwardingPolicy {
  /** The pseudonym in `Via` (RFC 9110 §7.6.3), or null for no Via. */
  readonly via: string | null;
  /** X-Forwarded-For, -Proto, -Host: extend what came, replace it, or leave it alone. */
  readonly xForwarded: "append" | "replace" | "off";
  /** Forwarded (RFC 7239), likewise. */
  readonly forwarded: "append" | "replace" | "off";
}

/** A group of endpoints that serve the same thing. Plain data. */
export interface UpstreamSettings {
  readonly name: string;
  readonly endpoints: readonly EndpointSettings[];
  readonly balance: BalanceSettings;
  readonly limits: UpstreamLimits;
  readonly timeouts: UpstreamTimeouts;
  readonly retries: RetrySettings;
  /** "auto": what the server chooses in the TLS handshake (ALPN), HTTP/1.1 in plain. */
  readonly protocol: UpstreamProtocol;
  /** The Host that the upstream sees: the client's, the endpoint's own name, or a fixed one. */
  readonly host: "preserve" | "endpoint" | { readonly literal: string };
  /** How often a DNS name is resolved anew. */
  readonly resolveEvery: Duration;
  /** Active checks of the endpoints; null or nothing: what connections tell is all. */
  readonly health?: HealthSettings | null;
  /** For endpoints that speak TLS; null where none does. */
  readonly tls: UpstreamTlsSettings | null;
}

/** "http2" in plain is by prior knowledge (RFC 9113 §3.3). */
export type UpstreamProtocol = "auto" | "http1" | "http2";

export interface EndpointSettings {
  /** An address, or a DNS name with its port. */
  readonly target:
    | SocketAddress
    | { readonly kind: "name"; readonly host: string; readonly port: number };
  /** A positive integer. */
  readonly weight: number;
  /** It speaks TLS, by the upstream's settings. Default: false. */
  readonly tls?: boolean;
}

export type BalanceSettings =
  | { readonly kind: "round-robin" | "random" | "least-request" | "p2c-ewma" }
  | { readonly kind: "consistent-hash"; readonly on: HashSource };

export type HashSource =
  | { readonly kind: "header" | "cookie"; readonly name: string }
  | { readonly kind: "client-address" };

export interface UpstreamLimits {
  /** Connections to one endpoint by one worker. */
  readonly connectionsPerEndpoint: number;
  /** Of these, kept idle. */
  readonly idlePerEndpoint: number;
  /** Requests by one worker that wait for a connection when every endpoint is at its limit. */
  readonly pending: number;
}

export interface UpstreamTimeouts {
  readonly connect: Duration;
  /** From the request's last byte sent to the response's first byte. */
  readonly firstByte: Duration;
  /** Between two reads of a response, or while the upstream takes nothing of a request. */
  readonly betweenBytes: Duration;
  /** From the choice of this upstream to the response's end, all attempts together; null for none. */
  readonly total: Duration | null;
  /** How long a kept connection may stay idle. */
  readonly idle: Duration;
}

export interface RetrySettings {
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** Body bytes kept so that a request can be sent again; a longer body is sent once. */
  readonly keepBody: number;
  /** Also POST, PATCH and the like, once any byte of them was sent. */
  readonly nonIdempotent: boolean;
  /** Connection failures in a row after which an endpoint is left alone … */
  readonly maxFails: number;
  /** … for this long (nginx: fail_timeout). */
  readonly failTimeout: Duration;
}
