import type { SocketAddress } from "../../core/address.ts";
import type { Instant } from "../../core/time.ts";
import type { Listener, StreamHandler } from "../../core/transport.ts";
import type { Ip } from "../ip-address.ts";
import { FlowList } from "./closing.ts";
import type { Deferred } from "./deferred.ts";
import type { TcpSettings } from "./settings.ts";
import { socketAddress } from "./socket-errors.ts";
import type { TcpStream } from "./tcp-stream.ts";

/** Called for each accepted stream; returns its owner, or null to refuse (the stream is aborted). */
export type TcpAcceptor = (stream: TcpStream) => StreamHandler | null;

/** What a listener needs of its layer. */
export interface ListenerLayer {
  defer(what: Deferred): void;
  /** The address is free. */
  released(listener: TcpListener): void;
  fault(error: unknown): void;
}

export interface ListenerOptions {
  readonly ip: Ip;
  readonly port: number;
  readonly reusePort: boolean;
  readonly ipv6Only: boolean;
  readonly backlog: number;
  readonly synBacklog: number;
  readonly settings: TcpSettings;
}

/**
 * A port on which connections are accepted (RFC 9293 §3.3.2: LISTEN). Two bounds: of half-open
 * connections, beyond which SYN cookies are sent; and of those that are established and wait to be
 * accepted, beyond which SYNs are dropped.
 */
export class TcpListener implements Listener, Deferred {
  readonly ip: Ip;
  readonly port: number;
  readonly reusePort: boolean;
  readonly ipv6Only: boolean;
  readonly settings: TcpSettings;
  readonly halfOpen = new FlowList(Number.POSITIVE_INFINITY);
  /** When a cookie was last sent: for a while afterwards they are believed. */
  lastCookieAt: Instant | null = null;
  deferred = false;
  closed = false;
  readonly #layer: ListenerLayer;
  readonly #acceptor: TcpAcceptor;
  readonly #backlog: number;
  readonly #synBacklog: number;
  readonly #waiting: TcpStream[] = [];
  #paused = false;

  constructor(layer: ListenerLayer, options: ListenerOptions, acceptor: TcpAcceptor) {
    this.#layer = layer;
    this.#acceptor = acceptor;
    this.ip = options.ip;
    this.port = options.port;
    this.reusePort = options.reusePort;
    this.ipv6Only = options.ipv6Only;
    this.settings = options.settings;
    this.#backlog = options.backlog;
    this.#synBacklog = options.synBacklog;
  }

  get address(): SocketAddress {
    return socketAddress(this.ip, this.port);
  }

  /** No SYN is answered now: too many wait to be accepted. */
  get overfull(): boolean {
    return this.#waiting.length > this.#backlog;
  }

  /** SYNs are answered with cookies. */
  get underPressure(): boolean {
    return this.halfOpen.size >= this.#synBacklog;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#waiting.length > 0) this.#layer.defer(this);
  }

  /** What was established and could be accepted is accepted first; the half-open ones are reset. */
  close(): void {
    if (this.closed) return;
    if (!this.#paused) this.runDeferred();
    this.closed = true;
    for (const stream of this.#waiting.splice(0)) stream.abort();
    for (let flow = this.halfOpen.first; flow !== null; flow = this.halfOpen.first) {
      this.halfOpen.remove(flow);
      flow.connection?.abort();
    }
    this.#layer.released(this);
  }

  /** A connection is established: accepts it now, or when it is its turn. */
  onEstablished(stream: TcpStream): void {
    if (!this.#paused && this.#waiting.length === 0) {
      this.#accept(stream);
      return;
    }
    stream.pause();
    this.#waiting.push(stream);
  }

  runDeferred(): void {
    while (!this.#paused && !this.closed) {
      const stream = this.#waiting.shift();
      if (stream === undefined) return;
      if (stream.closed) continue;
      stream.resume();
      this.#accept(stream);
    }
  }

  #accept(stream: TcpStream): void {
    try {
      const handler = this.#acceptor(stream);
      if (handler === null) stream.abort();
      else stream.adopt(handler);
    } catch (error) {
      stream.abort();
      this.#layer.fault(error);
    }
  }
}
