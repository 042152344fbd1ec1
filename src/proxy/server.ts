import type { SocketAddress } from "../core/address.ts";
import type { NetError } from "../core/errors.ts";
import { after, type Duration } from "../core/time.ts";
import type {
  Listener,
  ListenOptions,
  Stream,
  StreamHandler,
  Transport,
} from "../core/transport.ts";
import type { H1Limits } from "../http/h1/limits.ts";
import type { H2Limits } from "../http/h2/limits.ts";
import type { TlsClient } from "../tls/client.ts";
import type { TlsConnection } from "../tls/engine.ts";
import type { TlsServer } from "../tls/server.ts";
import { ServerNames } from "../tls/server-names.ts";
import type { TlsStream } from "../tls/stream-api.ts";
import { Challenges } from "./challenges.ts";
import { Exchange } from "./exchange.ts";
import { Forwarding } from "./forwarding.ts";
import { DownstreamConnection } from "./h1/downstream-connection.ts";
import { clientLimits } from "./h2/client-limits.ts";
import { DownstreamSession } from "./h2/downstream-session.ts";
import type { DownstreamStream } from "./h2/downstream-stream.ts";
import { FirstBytes } from "./h2/first-bytes.ts";
import { http2Defaults } from "./h2/settings.ts";
import type { ProxyObserver } from "./observer.ts";
import type { ProxyProgram } from "./program.ts";
import type { ListenerSettings, UpstreamSettings } from "./settings.ts";
import type { ClientConnection } from "./sides.ts";
import { Handshake, type HandshakeOwner, type Securing } from "./tls/handshake.ts";
import { Passthrough } from "./tls/passthrough.ts";
import { goingAway, type Tunnel } from "./tunnel.ts";
import type { PeerClientFactory } from "./upstream/peer-clients.ts";
import { PeerTable } from "./upstream/peers.ts";
import { Upstream, type UpstreamSnapshot } from "./upstream/upstream.ts";

export interface ProxyServerOptions {
  readonly transport: Transport;
  /** The program of listeners that bring none of their own. */
  readonly program: ProxyProgram;
  readonly upstreams: readonly UpstreamSettings[];
  /** By name, for upstreams with endpoints that speak TLS; they stay the caller's. */
  readonly tlsClients?: ReadonlyMap<string, TlsClient>;
  /** For peers by address that programs name with `tls`. */
  readonly peerClients?: PeerClientFactory;
  readonly observer: ProxyObserver;
}

/** Plain data: it crosses to the admin's thread. */
export interface ServerSnapshot {
  readonly draining: boolean;
  readonly connections: number;
  readonly listeners: readonly { readonly name: string; readonly connections: number }[];
  readonly upstreams: readonly UpstreamSnapshot[];
}

/** Exchanges kept for reuse by one worker. */
const sparesKept = 1024;

/** Limits on what upstreams may send: generous, but limits. */
const responseLimits: H1Limits = {
  requestLine: 16 * 1024,
  head: 64 * 1024,
  fields: 256,
  body: Number.POSITIVE_INFINITY,
};

/** What exchanges and connections of one worker share. */
export interface ProxyContext {
  readonly transport: Transport;
  readonly program: ProxyProgram;
  readonly observer: ProxyObserver;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly peers: PeerTable;
  readonly responseLimits: H1Limits;
  readonly challenges: Challenges;
  /** Those that are open. */
  readonly tunnels: Set<Tunnel>;
  readonly draining: boolean;
  /** A spare exchange, or a new one; `begin` it. */
  exchange(): Exchange;
  recycle(exchange: Exchange): void;
}

/** The proxy of one worker: listeners in front, upstreams behind, exchanges between. */
export class ProxyServer implements ProxyContext {
  readonly transport: Transport;
  readonly program: ProxyProgram;
  readonly observer: ProxyObserver;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly peers: PeerTable;
  readonly responseLimits = responseLimits;
  readonly challenges = new Challenges();
  readonly tunnels = new Set<Tunnel>();
  draining = false;
  private readonly listeners: ProxyListener[] = [];
  private readonly spares: Exchange[] = [];
  private whenEmpty: (() => void) | null = null;

  constructor(options: ProxyServerOptions) {
    this.transport = options.transport;
    this.program = options.program;
    this.observer = options.observer;
    const notice = (message: string): void => this.observer.notice(message);
    const upstreams = new Map<string, Upstream>();
    for (const settings of options.upstreams) {
      const client = options.tlsClients?.get(settings.name) ?? null;
      upstreams.set(settings.name, new Upstream(settings, this.transport, notice, client));
    }
    this.upstreams = upstreams;
    this.peers = new PeerTable(this.transport, undefined, undefined, options.peerClients);
  }

  /** Resolves the upstreams' names for the first time; never rejects for an upstream that is away. */
  async start(): Promise<void> {
    await Promise.all([...this.upstreams.values()].map((upstream) => upstream.start()));
  }

  /**
   * Serves `address` under `settings`; rejects with the transport's NetError. `tls` is for settings that
   * ask for TLS; it may serve several addresses, and stays the caller's.
   */
  async listen(
    address: SocketAddress,
    settings: ListenerSettings,
    options: ListenOptions,
    program: ProxyProgram = this.program,
    tls: TlsServer | null = null,
  ): Promise<Listener> {
    const listener = new ProxyListener(this, settings, program, tls);
    listener.socket = await this.transport.listen(address, options, (stream) =>
      listener.accept(stream),
    );
    this.listeners.push(listener);
    return listener.socket;
  }

  /**
   * Stops accepting, closes idle connections, lets requests under way finish with
   * `Connection: close`, and WebSockets with a Close frame; resolves when none is left, at the latest after `deadline`, when the rest is
   * cut off.
   */
  async drain(deadline: Duration): Promise<void> {
    this.draining = true;
    for (const listener of this.listeners) listener.drain();
    for (const tunnel of [...this.tunnels]) tunnel.leave(goingAway, goingAway, null);
    if (this.connections > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.transport.schedule(
          { onTimer: () => this.cut() },
          after(this.transport.now(), deadline),
        );
        this.whenEmpty = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.close();
  }

  private cut(): void {
    for (const listener of this.listeners) listener.abort();
  }

  /** Cuts everything off. */
  close(): void {
    this.draining = true;
    for (const listener of this.listeners) {
      listener.socket?.close();
      listener.abort();
    }
    for (const upstream of this.upstreams.values()) upstream.stop();
    this.peers.stop();
  }

  connectionClosed(): void {
    if (this.whenEmpty !== null && this.connections === 0) this.whenEmpty();
  }

  get connections(): number {
    let open = 0;
    for (const listener of this.listeners) open += listener.connections.size;
    return open;
  }

  snapshot(): ServerSnapshot {
    const now = this.transport.now();
    return {
      draining: this.draining,
      connections: this.connections,
      listeners: this.listeners.map(({ settings, connections }) => ({
        name: settings.name,
        connections: connections.size,
      })),
      upstreams: [...this.upstreams.values()].map((upstream) => upstream.snapshot(now)),
    };
  }

  exchange(): Exchange {
    return this.spares.pop() ?? new Exchange(this);
  }

  recycle(exchange: Exchange): void {
    if (this.spares.length < sparesKept) this.spares.push(exchange);
  }
}

/** One listening address with its settings, its program and its connections. */
export class ProxyListener implements HandshakeOwner {
  readonly settings: ListenerSettings;
  readonly program: ProxyProgram;
  readonly forwarding: Forwarding;
  readonly connections = new Set<ClientConnection>();
  readonly h2Limits: H2Limits;
  /** Sides of HTTP/2 streams that are over, for reuse. */
  readonly spareStreams: DownstreamStream[] = [];
  socket: Listener | null = null;
  /** null: streams are taken in plain. */
  readonly securing: Securing | null;
  /** Upstreams by the names of connections that are not terminated here. */
  private readonly passthrough = new ServerNames<string>();
  private readonly server: ProxyServer;

  constructor(
    server: ProxyServer,
    settings: ListenerSettings,
    program: ProxyProgram,
    tls: TlsServer | null,
  ) {
    if ((settings.tls === null) !== (tls === null)) {
      throw new TypeError(`listener ${settings.name}: TLS needs settings and a server`);
    }
    const { challenges } = server;
    this.securing =
      settings.tls === null || tls === null
        ? null
        : { server: tls, settings: settings.tls, challenges };
    for (const { names, upstream } of settings.tls?.passthrough ?? []) {
      for (const name of names) this.passthrough.set(name, upstream);
    }
    this.server = server;
    this.settings = settings;
    this.program = program;
    this.forwarding = new Forwarding(settings.forwarding);
    this.h2Limits = clientLimits(settings, settings.http2 ?? http2Defaults);
  }

  accept(stream: Stream): StreamHandler | null {
    if (this.connections.size >= this.settings.limits.connections) {
      this.server.observer.connectionRefused(this.settings.name);
      return null;
    }
    this.server.observer.connectionOpened(this.settings.name);
    if (this.securing !== null) {
      const handshake = new Handshake(stream, this.server.transport, this.securing, this);
      this.connections.add(handshake);
      return handshake;
    }
    const connection = this.http1(stream, null, null);
    if (this.settings.http2 === null) return connection;
    return new FirstBytes(this, stream, connection, this.server.transport);
  }

  secured(stream: TlsStream, handshake: Handshake): StreamHandler {
    const connection = stream.connection!;
    this.server.observer.tlsOpened(this.settings.name, connection);
    if (connection.alpn === "h2") return this.http2(stream, connection, handshake);
    return this.http1(stream, connection, handshake);
  }

  passedThrough(serverName: string, stream: Stream, handshake: Handshake): StreamHandler | null {
    const name = this.passthrough.find(serverName);
    const group = name === undefined ? undefined : this.server.upstreams.get(name);
    if (group === undefined) return null;
    const connection = new Passthrough(this.server, this, group, stream);
    this.takePlace(connection, handshake);
    return connection;
  }

  unsecured(stream: Stream, handshake: Handshake): StreamHandler {
    return this.http1(stream, null, handshake);
  }

  unfinished(handshake: Handshake, error: NetError | null): void {
    if (!this.connections.has(handshake)) return;
    if (error !== null) this.server.observer.tlsFailed(this.settings.name, error);
    this.closed(handshake);
  }

  private http1(
    stream: Stream,
    tls: TlsConnection | null,
    inPlaceOf: ClientConnection | null,
  ): DownstreamConnection {
    const connection = new DownstreamConnection(this.server, this, stream, tls);
    this.takePlace(connection, inPlaceOf);
    return connection;
  }

  /** A stream whose first bytes, or whose ALPN, say HTTP/2. */
  http2(
    stream: Stream,
    tls: TlsConnection | null,
    inPlaceOf: ClientConnection | null,
  ): DownstreamSession {
    const http2 = this.settings.http2 ?? http2Defaults;
    const session = new DownstreamSession(this.server, this, stream, tls, http2);
    this.server.observer.http2Opened(this.settings.name);
    this.takePlace(session, inPlaceOf);
    return session;
  }

  /** A connection, which may be one that was held for something else until now. */
  private takePlace(connection: ClientConnection, inPlaceOf: ClientConnection | null): void {
    if (inPlaceOf !== null) this.connections.delete(inPlaceOf);
    this.connections.add(connection);
    if (this.server.draining) connection.drain();
  }

  closed(connection: ClientConnection): void {
    if (!this.connections.delete(connection)) return;
    this.server.observer.connectionClosed(this.settings.name);
    this.server.connectionClosed();
  }

  drain(): void {
    this.socket?.close();
    for (const connection of this.connections) connection.drain();
  }

  abort(): void {
    for (const connection of this.connections) connection.abort();
  }
}
