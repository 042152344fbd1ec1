import type { SocketAddress } from "../core/address.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { Duration } from "../core/time.ts";
import type { Fields } from "../http/fields.ts";
import type { RequestHead, ResponseHead } from "../http/head.ts";
import type { TlsConnection } from "../tls/engine.ts";

/** One request and its response, as hooks see them. Valid until `logging` returned; do not keep it. */
export interface Session {
  /** The client's side. */
  readonly client: ClientInfo;
  readonly listener: string;
  /** The version of HTTP in which the client speaks. */
  readonly protocol: "http/1.0" | "http/1.1" | "h2";
  /** The request as received, with the edits of `earlyRequestFilter` and `requestFilter`. */
  readonly request: RequestHead;
  /** The request as it goes to the upstream: hop-by-hop fields gone, Via and the like added. Edits are
   *  for `upstreamRequestFilter`, and hold for this attempt. Before that phase, the same as `request`. */
  readonly upstreamRequest: RequestHead;
  /** The response, from `upstreamResponseFilter` on; null before. */
  readonly response: ResponseHead | null;
  /** Trailers, in `responseTrailerFilter`. */
  readonly trailers: Fields | null;
  /** The connection in use, from `connectedToUpstream` on. */
  readonly upstream: UpstreamInfo | null;
  /** Aborted when the request ends before its time; made on first use. */
  readonly signal: AbortSignal;
  /** The name under which the access log and metrics count this request; a route sets it. */
  route: string;

  /** A request cookie's value, undecoded. */
  cookie(name: string): string | undefined;

  /**
   * Answers the request, in any phase before the response's head is sent; the upstream is not asked, or
   * no longer listened to. Returns the verdict, so a hook can end with
   * `return session.respond(403)`. Content-Length is set from the body. Throws TypeError for a status
   * outside 200 – 599, a bad field, or once the response has begun.
   */
  respond(
    status: number,
    headers?: Readonly<Record<string, string>> | null,
    body?: string | Uint8Array | null,
  ): "responded";

  /** The figures of a request; complete in `logging`. */
  readonly summary: Summary;
}

export interface ClientInfo {
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
  /** What the TLS handshake settled: version, cipher, SNI, the client's certificate; null in plain. */
  readonly tls: TlsConnection | null;
}

export interface UpstreamInfo {
  /** The configured name, or the address for a peer by address. */
  readonly name: string;
  readonly address: SocketAddress;
  /** The version of HTTP that is spoken to it. */
  readonly protocol: "http/1.1" | "h2";
  readonly reused: boolean;
  /** What the TLS handshake settled, the server's certificate among it; null in plain. */
  readonly tls: TlsConnection | null;
  /** 1 for the first. */
  readonly attempt: number;
}

/** Figures of one request, in microseconds and bytes. Times count from the request's first byte. */
export interface Summary {
  /** Like `target` and `host`, empty for a message that never became a request. */
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** What the client got; 0 when it left before any answer. */
  readonly status: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Time spent on getting a connection, all attempts; null where none was asked for. */
  readonly connect: Duration | null;
  readonly firstByte: Duration | null;
  readonly total: Duration;
  readonly upstream: string | null;
  readonly endpoint: string | null;
  readonly attempts: number;
  readonly reused: boolean;
  /** How a call of gRPC ended, also one that its client gave up (CANCELLED); null for anything else. */
  readonly grpcStatus: number | null;
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly source: string;
  } | null;
}
