import { connect, Socket, type TcpNetConnectOpts } from "node:net";
import { performance } from "node:perf_hooks";
import type { IpAddress, SocketAddress } from "../../core/address.ts";
import { NetError } from "../../core/errors.ts";
import { type Rng, SeededRng } from "../../core/random.ts";
import { after, type Instant, instant } from "../../core/time.ts";
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
import { TurnQueue } from "../../core/turn-queue.ts";
import { lookUp } from "../lookup.ts";
import { LoopTimer } from "../loop-timer.ts";
import { SystemRng } from "../system-rng.ts";
import { localOf, remoteOf, unboundFor } from "./addresses.ts";
import { listenWithNode, type NodeListener } from "./listener.ts";
import { WriteSlab } from "./pending-bytes.ts";
import { NodeStream, type StreamOwner } from "./stream.ts";

export interface NodeTransportOptions {
  /** Seeds `rng`, for tests; without it `rng` is the operating system's, and fit for secrets. */
  readonly seed?: number;
  /** What a handler, an acceptor or a timer threw. Without it, it is thrown as uncaught. */
  readonly onFault?: (error: unknown) => void;
}

export function createNodeTransport(options: NodeTransportOptions = {}): NodeTransport {
  return new NodeTransport(options);
}

/** The portable transport, over node:net. It holds the loop open while it has work. */
export class NodeTransport implements Transport, StreamOwner {
  readonly name = "node";
  readonly rng: Rng;
  readonly slab = new WriteSlab();
  readonly #onFault: ((error: unknown) => void) | undefined;
  readonly #timers: LoopTimer;
  readonly #streams = new Set<NodeStream>();
  readonly #listeners = new Set<NodeListener>();
  /** Streams with something to flush at the end of this turn. */
  #dirty: NodeStream[] = [];
  #flushed: NodeStream[] = [];
  readonly #turnEnd = new TurnQueue((error) => this.fault(error));
  /** The end of the turn is arranged, or under way. */
  #turnEnds = false;
  readonly #flush = (): void => this.#flushAll();
  #closed = false;

  constructor(options: NodeTransportOptions) {
    this.rng = options.seed === undefined ? new SystemRng() : new SeededRng(options.seed);
    this.#onFault = options.onFault;
    this.#timers = new LoopTimer(
      () => this.now(),
      (error) => this.fault(error),
    );
  }

  wallClock(): number {
    return Date.now();
  }

  now(): Instant {
    return instant(performance.now() * 1_000);
  }

  schedule(target: TimerTarget, at: Instant): Timer {
    return this.#timers.schedule(target, at);
  }

  async listen(
    address: SocketAddress,
    options: ListenOptions,
    acceptor: Acceptor,
  ): Promise<Listener> {
    this.#checkOpen();
    const listener = await listenWithNode(
      address,
      options,
      (socket) => this.#accept(socket, listener.address, acceptor),
      (listener) => this.#listeners.delete(listener),
    );
    this.#listeners.add(listener);
    if (this.#closed) {
      listener.close();
      this.#checkOpen();
    }
    return listener;
  }

  connect(address: SocketAddress, options: ConnectOptions, handler: ConnectHandler): Stream {
    if (this.#closed) return this.#refuse(address, handler);
    const socket = connect(connectOptions(address, options));
    const stream = new NodeStream(this, socket, unboundFor(address), address, handler);
    this.#streams.add(stream);
    if (options.timeout !== undefined) {
      stream.connectTimer = this.schedule(stream, after(this.now(), options.timeout));
    }
    return stream;
  }

  resolve(name: string): Promise<readonly IpAddress[]> {
    return lookUp(name);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#listeners) listener.close();
    for (const stream of this.#streams) stream.abort();
    this.#timers.close();
    this.#turnEnd.clear();
  }

  atTurnEnd(target: TurnTarget): void {
    if (this.#closed) return;
    this.#turnEnd.add(target);
    this.#endTurnSoon();
  }

  flushSoon(stream: NodeStream): void {
    this.#dirty.push(stream);
    this.#endTurnSoon();
  }

  #endTurnSoon(): void {
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    setImmediate(this.#flush);
  }

  forget(stream: NodeStream): void {
    this.#streams.delete(stream);
  }

  fault(error: unknown): void {
    if (this.#onFault !== undefined) {
      this.#onFault(error);
      return;
    }
    setImmediate(() => {
      throw error;
    });
  }

  #accept(socket: Socket, listening: SocketAddress, acceptor: Acceptor): void {
    const stream = new NodeStream(this, socket, localOf(socket, listening), remoteOf(socket), null);
    this.#streams.add(stream);
    try {
      const handler = acceptor(stream);
      if (handler === null) stream.abort();
      else stream.adopt(handler);
    } catch (error) {
      stream.abort();
      this.fault(error);
    }
  }

  /** A handler that connects as it is closed still gets its answer. */
  #refuse(address: SocketAddress, handler: ConnectHandler): Stream {
    const socket = new Socket();
    const stream = new NodeStream(this, socket, unboundFor(address), address, handler);
    socket.destroy(closed());
    return stream;
  }

  #flushAll(): void {
    this.#turnEnd.run();
    const streams = this.#dirty;
    this.#dirty = this.#flushed;
    for (const stream of streams) stream.flush();
    streams.length = 0;
    this.#flushed = streams;
    this.#turnEnds = false;
    // What was asked for in the meantime is due at the end of the next.
    if (this.#dirty.length > 0 || !this.#turnEnd.empty) this.#endTurnSoon();
  }

  #checkOpen(): void {
    if (this.#closed) throw closed();
  }
}

const closed = (): NetError =>
  new NetError("ABORTED", "the transport is closed", { source: "internal" });

function connectOptions(address: SocketAddress, options: ConnectOptions) {
  if (address.kind === "unix") return { path: address.path, allowHalfOpen: true };
  const tcp: TcpNetConnectOpts & { allowHalfOpen: boolean } = {
    host: address.ip,
    port: address.port,
    allowHalfOpen: true,
    noDelay: true,
  };
  if (options.localAddress !== undefined) tcp.localAddress = options.localAddress;
  return tcp;
}
