import { NetError } from "../core/errors.ts";
import type { ConnectHandler, Stream } from "../core/transport.ts";
import { connectEndpoint, connectError, connectFailed, securityOf } from "./connect.ts";
import type { Exchange } from "./exchange.ts";
import { UpstreamConnection } from "./h1/upstream-connection.ts";
import { enter } from "./h2/settings-wait.ts";
import { streamsPerConnection, UpstreamSession } from "./h2/upstream-session.ts";
import { PendingLink, type WaitingPlace } from "./pending-link.ts";
import type { ProxyContext } from "./server.ts";
import type { UpstreamSettings } from "./settings.ts";
import type { Endpoint } from "./upstream/endpoint.ts";
import type { SharedConnection } from "./upstream/shared-connections.ts";
import type { Upstream } from "./upstream/upstream.ts";

/**
 * A connection that is being made and may become one of HTTP/2: requests wait for it together. Where the
 * server chooses HTTP/1.1 the first of them has it, and the others make their own.
 */
export class SharedDial implements ConnectHandler, SharedConnection, WaitingPlace {
  listed = false;
  readonly idle = false;
  private readonly context: ProxyContext;
  private readonly endpoint: Endpoint;
  private readonly group: Upstream | null;
  private readonly settings: UpstreamSettings;
  private readonly stream: Stream;
  private waiting: PendingLink[] = [];
  private readonly most: number;
  /** It failed, became a connection of its own kind, or is not wanted any more. */
  private over = false;

  constructor(
    context: ProxyContext,
    endpoint: Endpoint,
    group: Upstream | null,
    settings: UpstreamSettings,
  ) {
    this.context = context;
    this.endpoint = endpoint;
    this.group = group;
    this.settings = settings;
    // Who spoke HTTP/1.1 will most likely do so again.
    this.most = endpoint.speaks === "http/1.1" ? 1 : streamsPerConnection;
    endpoint.connectionOpening();
    this.stream = connectEndpoint(context, endpoint, settings.timeouts, "any", this);
    endpoint.dials?.add(this);
  }

  get room(): number {
    return this.over ? 0 : this.most - this.waiting.length;
  }

  join(exchange: Exchange): PendingLink {
    const link = new PendingLink(exchange, this.endpoint);
    link.place = this;
    this.waiting.push(link);
    return link;
  }

  leave(link: PendingLink): void {
    this.waiting = this.waiting.filter((other) => other !== link);
    if (this.over) return;
    if (this.waiting.length === 0) this.stream.abort();
    else this.endpoint.dials?.offer(this);
  }

  /** The endpoint goes; those who wait for it may still have it. */
  retire(): void {}

  onConnect(): void {
    const { context, endpoint, group, settings, stream } = this;
    this.leaveDials();
    const security = securityOf(endpoint, stream);
    const h2 = security === null || security.alpn === "h2";
    if (!h2 && settings.protocol === "http2") return this.fail(noHttp2(security.alpn));
    endpoint.speaks = h2 ? "h2" : "http/1.1";
    if (!h2) return this.handOver();
    const session = new UpstreamSession(context, endpoint, group, settings, stream);
    endpoint.sessions?.add(session);
    for (let link = this.waiting.shift(); link !== undefined; link = this.waiting.shift()) {
      enter(session, link, settings.timeouts);
    }
    group?.released(endpoint);
  }

  /** The server speaks HTTP/1.1. */
  private handOver(): void {
    const { context, endpoint, group, settings, stream } = this;
    const first = this.waiting.shift();
    if (first === undefined) return stream.abort();
    const { exchange } = first;
    const connection = new UpstreamConnection(context, endpoint, group, exchange);
    connection.adopt(stream, settings.timeouts);
    exchange.guard("connectedToUpstream", () => exchange.attempts.connected(connection));
    for (let link = this.waiting.shift(); link !== undefined; link = this.waiting.shift()) {
      link.exchange.attempts.askAgain();
    }
  }

  onData(): void {}

  onWritable(): void {}

  onEnd(): void {
    this.stream.abort();
  }

  onClose(error: NetError | null): void {
    this.leaveDials();
    this.endpoint.connectionClosed();
    this.tellAll(error);
    this.group?.released(this.endpoint);
  }

  private fail(error: NetError): void {
    this.tellAll(error);
    this.stream.abort();
  }

  private tellAll(error: NetError | null): void {
    const { context, endpoint, waiting } = this;
    this.waiting = [];
    if (waiting.length > 0) connectFailed(context, endpoint, error);
    for (const { exchange } of waiting) exchange.onUpstreamError(connectError(error));
  }

  private leaveDials(): void {
    this.over = true;
    this.endpoint.dials?.remove(this);
  }
}

/** RFC 9113 §3.2: over TLS it is spoken where ALPN has chosen it, and nowhere else. */
const noHttp2 = (chosen: string | null): NetError =>
  new NetError(
    "TLS_PROTOCOL",
    `the upstream does not choose HTTP/2 in the TLS handshake, but ${chosen ?? "nothing"}`,
    { source: "upstream" },
  );
