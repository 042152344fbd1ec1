import type { SocketAddress } from "../../core/address.ts";
import type { NetError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";
import type { ConnectHandler, Stream, StreamHandler } from "../../core/transport.ts";
import { connectFailed } from "../connect.ts";
import { HeldInput } from "../held-input.ts";
import type { ProxyContext } from "../server.ts";
import type { ListenerSettings } from "../settings.ts";
import type { ClientConnection } from "../sides.ts";
import { Tunnel, TunnelSide } from "../tunnel.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { PickInput, Upstream } from "../upstream/upstream.ts";

/** The listener of a connection that is passed through. */
export interface PassthroughOwner {
  readonly settings: ListenerSettings;
  closed(connection: ClientConnection): void;
}

/**
 * A client's TLS connection that is not terminated here: its bytes, the hello first, go to an endpoint
 * of the upstream that its SNI names, and what comes back goes to the client. Endpoints that cannot be
 * reached are tried one after another; that the last failed the client learns by a reset.
 */
export class Passthrough implements ClientConnection, StreamHandler, PickInput {
  readonly #context: ProxyContext;
  readonly #owner: PassthroughOwner;
  readonly #group: Upstream;
  readonly #client: Stream;
  readonly #held: HeldInput;
  readonly #tried: Endpoint[] = [];
  #begun = false;
  #clientEnded = false;
  #outgoing: OutgoingConnection | null = null;
  #tunnel: Tunnel | null = null;

  constructor(context: ProxyContext, owner: PassthroughOwner, group: Upstream, client: Stream) {
    this.#context = context;
    this.#owner = owner;
    this.#group = group;
    this.#client = client;
    this.#held = new HeldInput(client);
  }

  /** Connects to an endpoint; the client's bytes are held until then. */
  #connect(): void {
    const { transport } = this.#context;
    const now = transport.now();
    const endpoint = this.#group.pick(this, this.#tried, now);
    const { attempts } = this.#group.settings.retries;
    if (endpoint === null || this.#tried.length >= attempts) return this.#client.abort();
    this.#tried.push(endpoint);
    this.#outgoing = new OutgoingConnection(this.#context, this.#group, endpoint, this);
  }

  connected(upstream: Stream): void {
    const { observer, transport, tunnels } = this.#context;
    const { name, timeouts } = this.#owner.settings;
    const rest = this.#held.remove();
    observer.tunnelOpened(name, "passthrough");
    const tunnel = new Tunnel({
      client: { stream: this.#client, rest, ended: this.#clientEnded },
      upstream: { stream: upstream, rest: null, ended: false },
      clock: transport,
      timeout: timeouts.tunnel,
      side: (stream) => new TunnelSide(stream),
      onEnd: (_end, ended) => {
        tunnels.delete(ended);
        observer.tunnelClosed(name, "passthrough");
        this.#outgoing?.over("success");
        this.#owner.closed(this);
      },
    });
    this.#tunnel = tunnel;
    if (!tunnel.over) tunnels.add(tunnel);
  }

  failed(): void {
    this.#outgoing = null;
    if (!this.#client.closed) this.#connect();
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    this.#held.keep(buf, start, end);
    this.#held.pause();
    if (this.#begun) return;
    this.#begun = true;
    this.#connect();
  }

  onWritable(): void {}

  onEnd(): void {
    this.#clientEnded = true;
  }

  onClose(): void {
    this.#outgoing?.cancel();
    this.#owner.closed(this);
  }

  /** What runs may go on until the time for draining is over. */
  drain(): void {}

  abort(): void {
    if (this.#tunnel !== null) this.#tunnel.abort();
    else this.#client.abort();
  }

  // There is no request: consistent hashing goes by the client's address, or by chance.

  header(): undefined {
    return undefined;
  }

  cookie(): undefined {
    return undefined;
  }

  clientAddress(): string {
    const { remote }: { readonly remote: SocketAddress } = this.#client;
    return remote.kind === "ip" ? remote.ip : "unix";
  }
}

/** The connection to an endpoint, and its place in the books. */
class OutgoingConnection implements ConnectHandler {
  readonly #context: ProxyContext;
  readonly #group: Upstream;
  readonly #endpoint: Endpoint;
  readonly #owner: Passthrough;
  readonly #startedAt: Instant;
  readonly #stream: Stream;
  #established = false;
  #settled = false;

  constructor(context: ProxyContext, group: Upstream, endpoint: Endpoint, owner: Passthrough) {
    this.#context = context;
    this.#group = group;
    this.#endpoint = endpoint;
    this.#owner = owner;
    const { transport } = context;
    this.#startedAt = transport.now();
    endpoint.connectionOpening();
    endpoint.requestStarted(this.#startedAt);
    const { connect } = group.settings.timeouts;
    // In plain, for the TLS in it is the client's.
    this.#stream = transport.connect(endpoint.address, { timeout: connect }, this);
  }

  onConnect(): void {
    this.#established = true;
    this.#endpoint.connectSucceeded();
    this.#context.observer.upstreamConnected(this.#endpoint.upstream);
    this.#owner.connected(this.#stream);
  }

  onData(): void {}

  onWritable(): void {}

  onEnd(): void {}

  /** Before it stood: after that the tunnel is told. */
  onClose(error: NetError | null): void {
    if (this.#settled) return;
    connectFailed(this.#context, this.#endpoint, error);
    this.over("failure");
    this.#owner.failed();
  }

  /** The client left. */
  cancel(): void {
    this.over("cancelled");
    this.#stream.abort();
  }

  over(outcome: "success" | "failure" | "cancelled"): void {
    if (this.#settled) return;
    this.#settled = true;
    const endpoint = this.#endpoint;
    const now = this.#context.transport.now();
    endpoint.requestEnded(now, this.#startedAt, outcome, now);
    endpoint.connectionClosed();
    if (this.#established) this.#context.observer.upstreamClosed(endpoint.upstream);
    this.#group.released(endpoint);
  }
}
