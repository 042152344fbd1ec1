import type { IpAddress, SocketAddress } from "../../core/address.ts";
import type { Rng } from "../../core/random.ts";
import type { Instant } from "../../core/time.ts";
import type {
  Acceptor,
  ConnectHandler,
  ConnectOptions,
  Listener,
  ListenOptions,
  Stream,
  Timer,
  TimerTarget,
  Transport,
  TurnTarget,
} from "../../core/transport.ts";
import { acceptTls } from "../accept.ts";
import type { TlsClient } from "../client.ts";
import { connectTls } from "../connect.ts";
import type { TlsServer } from "../server.ts";

/** A transport all of whose streams are encrypted: so the suite of transports tries `TlsStream`. */
export class TlsTransport implements Transport {
  readonly #inner: Transport;
  readonly #server: TlsServer;
  readonly #client: TlsClient;

  constructor(inner: Transport, server: TlsServer, client: TlsClient) {
    this.#inner = inner;
    this.#server = server;
    this.#client = client;
  }

  get name(): Transport["name"] {
    return this.#inner.name;
  }

  get rng(): Rng {
    return this.#inner.rng;
  }

  now(): Instant {
    return this.#inner.now();
  }

  wallClock(): number {
    return this.#inner.wallClock();
  }

  schedule(target: TimerTarget, at: Instant): Timer {
    return this.#inner.schedule(target, at);
  }

  listen(address: SocketAddress, options: ListenOptions, acceptor: Acceptor): Promise<Listener> {
    const accept = acceptTls({ server: this.#server, transport: this.#inner }, acceptor);
    return this.#inner.listen(address, options, accept);
  }

  connect(address: SocketAddress, options: ConnectOptions, handler: ConnectHandler): Stream {
    const target = { serverName: "a.test" };
    return connectTls(this.#inner, address, { ...options, client: this.#client, target }, handler);
  }

  atTurnEnd(target: TurnTarget): void {
    this.#inner.atTurnEnd(target);
  }

  resolve(name: string): Promise<readonly IpAddress[]> {
    return this.#inner.resolve(name);
  }

  close(): void {
    this.#inner.close();
  }
}
