import { type IpAddress, isIpv6, isLoopback, type SocketAddress } from "../../core/address.ts";
import { NetError } from "../../core/errors.ts";
import type { Rng } from "../../core/random.ts";
import { after, type Instant, seconds } from "../../core/time.ts";
import { TimerWheel } from "../../core/timer-wheel.ts";
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
import { Connection, type Simulation } from "./connection.ts";
import type { MemoryHost } from "./host.ts";
import type { LinkConditions } from "./link.ts";
import { type ListenerOwner, MemoryListener } from "./listener.ts";
import { MemoryStream } from "./stream.ts";

const BACKLOG = 4096;
/** What Linux waits for an answer with its 6 retries (tcp(7), tcp_syn_retries). */
const PATIENCE = seconds(127);

/** What a transport needs of its network. */
export interface NetworkView {
  readonly simulation: Simulation;
  conditions(from: SocketAddress, to: SocketAddress): LinkConditions;
  /** A generator of its own, the same in each run. */
  fork(): Rng;
  hostOf(ip: IpAddress): MemoryHost | null;
  isBlackHole(ip: IpAddress): boolean;
  lookup(name: string): readonly IpAddress[] | null;
  removed(transport: MemoryTransport): void;
}

/** When virtual time begins, as a time of day. */
const epoch = Date.UTC(2000, 0, 1);

/** A transport of one host in a `MemoryNetwork`. Several of one host share its ports, as workers do. */
export class MemoryTransport implements Transport, ListenerOwner {
  readonly name = "memory";
  readonly rng: Rng;
  readonly #network: NetworkView;
  readonly #host: MemoryHost;
  readonly #wheel: TimerWheel;
  readonly #streams = new Set<MemoryStream>();
  readonly #listeners = new Set<MemoryListener>();
  #closed = false;

  constructor(network: NetworkView, host: MemoryHost) {
    this.#network = network;
    this.#host = host;
    this.rng = network.fork();
    this.#wheel = new TimerWheel(network.simulation.now);
  }

  get simulation(): Simulation {
    return this.#network.simulation;
  }

  /** When the next timer is due. */
  get nextDeadline(): Instant | undefined {
    return this.#wheel.nextDeadline();
  }

  advance(now: Instant): void {
    try {
      this.#wheel.advance(now);
    } catch (error) {
      this.simulation.fault(error);
    }
  }

  /** A day long past, plus the virtual time: the same in each run. */
  wallClock(): number {
    return epoch + Math.trunc(this.now() / 1_000);
  }

  now(): Instant {
    return this.simulation.now;
  }

  /** After `close`, the timer is dead. */
  schedule(target: TimerTarget, at: Instant): Timer {
    const timer = this.#wheel.schedule(target, at);
    if (this.#closed) timer.cancel();
    return timer;
  }

  async listen(
    address: SocketAddress,
    options: ListenOptions,
    acceptor: Acceptor,
  ): Promise<Listener> {
    this.#checkOpen();
    const settings = {
      reusePort: options.reusePort ?? false,
      ipv6Only: options.ipv6Only ?? false,
      backlog: options.backlog ?? BACKLOG,
    };
    const bound = this.#host.reserve(address, settings);
    const listener = new MemoryListener(this, bound, settings, acceptor);
    this.#host.add(listener);
    this.#listeners.add(listener);
    return listener;
  }

  connect(address: SocketAddress, options: ConnectOptions, handler: ConnectHandler): Stream {
    this.#checkOpen();
    const local = this.#localFor(address, options.localAddress);
    const network = this.#network;
    const link = network.conditions(local, address);
    const connection = new Connection(this.simulation, link, network.fork());
    const stream = new MemoryStream(this, connection, local, address, handler);
    this.#streams.add(stream);
    if (options.timeout !== undefined) {
      stream.connectTimer = this.schedule(stream, after(this.now(), options.timeout));
    }
    if (options.localAddress !== undefined && !this.#host.owns(options.localAddress)) {
      this.simulation.at(this.now(), () => stream.fail("EADDRNOTAVAIL"));
    } else connection.way().send(() => this.#knock(stream));
    return stream;
  }

  async resolve(name: string): Promise<readonly IpAddress[]> {
    const found = this.#network.lookup(name);
    if (found !== null) return found;
    throw new NetError("ENOTFOUND", `resolve ${name}: no such name`, { source: "upstream" });
  }

  atTurnEnd(target: TurnTarget): void {
    this.simulation.at(this.now(), () => this.#callAtTurnEnd(target));
  }

  #callAtTurnEnd(target: TurnTarget): void {
    if (this.#closed) return;
    try {
      target.onTurnEnd();
    } catch (error) {
      this.simulation.fault(error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#listeners) listener.close();
    for (const stream of this.#streams) stream.abort();
    this.#wheel.clear();
    this.#network.removed(this);
  }

  adopt(stream: MemoryStream): void {
    this.#streams.add(stream);
  }

  forget(stream: MemoryStream): void {
    this.#streams.delete(stream);
  }

  released(listener: MemoryListener): void {
    this.#host.remove(listener);
    this.#listeners.delete(listener);
  }

  /** The stream's request has come to the address that it wants. */
  #knock(stream: MemoryStream): void {
    if (stream.closed) return;
    const { remote } = stream;
    const swallowed = remote.kind === "ip" && this.#network.isBlackHole(remote.ip);
    const host = this.#hostAt(remote);
    const listener = swallowed ? null : (host?.find(remote, stream.connection.rng) ?? null);
    if (listener?.admit(stream)) return;
    if (swallowed || listener !== null) {
      this.simulation.at(after(this.now(), PATIENCE), () => stream.fail("ETIMEDOUT"));
      return;
    }
    const refused = remote.kind === "unix" ? "ENOENT" : "ECONNREFUSED";
    const code = host === null ? "EHOSTUNREACH" : refused;
    stream.connection.way().send(() => stream.fail(code));
  }

  #hostAt(address: SocketAddress): MemoryHost | null {
    if (address.kind === "unix" || isLoopback(address.ip)) return this.#host;
    return this.#network.hostOf(address.ip);
  }

  /** The near end of a connection to `to`: an address of the same family, as far as there is one. */
  #localFor(to: SocketAddress, wanted: IpAddress | undefined): SocketAddress {
    if (to.kind === "unix") return { kind: "unix", path: "" };
    const sameFamily = this.#host.ips.find((ip) => isIpv6(ip) === isIpv6(to.ip));
    const ip = wanted ?? (isLoopback(to.ip) ? to.ip : (sameFamily ?? this.#host.ips[0]!));
    return { kind: "ip", ip, port: this.#host.freePort() };
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error("the transport is closed");
  }
}
