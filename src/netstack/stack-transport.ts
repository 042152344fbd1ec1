import { type IpAddress, parseIp, type SocketAddress, unmapIp } from "../core/address.ts";
import { NetError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Instant } from "../core/time.ts";
import { TimerWheel } from "../core/timer-wheel.ts";
import type {
  Acceptor,
  ConnectHandler,
  ConnectOptions,
  Listener,
  ListenOptions,
  Stream,
  Timer,
  Timers,
  TimerTarget,
  Transport,
  TurnTarget,
} from "../core/transport.ts";
import { TurnQueue } from "../core/turn-queue.ts";
import { Ip } from "./ip-address.ts";
import type { TcpListener } from "./tcp/listener.ts";
import type { TcpLayer } from "./tcp/tcp-layer.ts";
import type { StreamKeeper, TcpStream } from "./tcp/tcp-stream.ts";

/** What the transport needs of a stack. */
export interface TransportStack extends Timers {
  now(): Instant;
  readonly rng: Rng;
  readonly tcp: TcpLayer;
  atTurnEnd(target: TurnTarget): void;
}

export interface StackTransportOptions {
  readonly stack: TransportStack;
  /** The time of day in milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Addresses of a name; rejects with ENOTFOUND. Literals and `localhost` never get there. */
  readonly lookup?: (name: string) => Promise<readonly IpAddress[]>;
  /** Hears of errors that handlers, acceptors and timers throw. Where left out, the stack's does. */
  readonly onFault?: (error: unknown) => void;
}

/**
 * A stack's TCP as a `Transport`: what proxies and HTTP run on. Several may share a stack; closing one
 * closes what came by it and leaves the stack alone.
 */
export class StackTransport implements Transport, StreamKeeper {
  readonly name = "netstack";
  readonly rng: Rng;
  readonly #stack: TransportStack;
  readonly #options: StackTransportOptions;
  readonly #streams = new Set<TcpStream>();
  readonly #listeners = new Set<TcpListener>();
  /** Its own, so that `close` ends all timers; one timer of the stack drives it. */
  readonly #wheel: TimerWheel;
  readonly #turnEnd = new TurnQueue((error) => this.fault(error));
  #drive: Timer | null = null;
  #closed = false;

  constructor(options: StackTransportOptions) {
    const { stack } = options;
    this.#stack = stack;
    this.#options = options;
    this.rng = stack.rng;
    this.#wheel = new TimerWheel(stack.now(), (at) => this.#driveAt(at));
  }

  now(): Instant {
    return this.#stack.now();
  }

  wallClock(): number {
    return this.#options.wallClock();
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
    const { ip, port } = endpoint(address);
    const { reusePort = false, ipv6Only = false, backlog } = options;
    const tcp = this.#stack.tcp;
    const listener = tcp.listen(
      { ip, port, reusePort, ipv6Only, ...(backlog === undefined ? {} : { backlog }) },
      (stream) => {
        this.#adopt(stream);
        return acceptor(stream);
      },
      this,
    );
    this.#listeners.add(listener);
    return new TransportListener(listener, () => this.#listeners.delete(listener));
  }

  connect(address: SocketAddress, options: ConnectOptions, handler: ConnectHandler): Stream {
    this.#checkOpen();
    const { timeout, localAddress } = options;
    const stream = this.#stack.tcp.connect(
      {
        ...endpoint(address),
        ...(localAddress === undefined ? {} : { localIp: Ip.of(unmapIp(localAddress)) }),
        ...(timeout === undefined ? {} : { timeout }),
      },
      handler,
    );
    this.#adopt(stream);
    return stream;
  }

  /** RFC 6761 §6.3: `localhost` is always this host. */
  async resolve(name: string): Promise<readonly IpAddress[]> {
    const literal = parseIp(name);
    if (literal !== null) return [literal];
    const lower = name.toLowerCase();
    if (lower === "localhost" || lower.endsWith(".localhost")) return LOCALHOST;
    const { lookup } = this.#options;
    if (lookup !== undefined) return lookup(name);
    throw new NetError("ENOTFOUND", `the name ${name} was not found: no resolver is set`, {
      source: "upstream",
    });
  }

  atTurnEnd(target: TurnTarget): void {
    if (this.#closed) return;
    if (this.#turnEnd.empty) this.#stack.atTurnEnd(this);
    this.#turnEnd.add(target);
  }

  /** The stack runs: what came with the batch of frames has been told. */
  onTurnEnd(): void {
    this.#turnEnd.run();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#turnEnd.clear();
    for (const listener of this.#listeners) listener.close();
    this.#listeners.clear();
    for (const stream of this.#streams) stream.abort();
    this.#wheel.clear();
    this.#drive?.cancel();
  }

  // StreamKeeper

  forget(stream: TcpStream): void {
    this.#streams.delete(stream);
  }

  fault(error: unknown): void {
    if (this.#options.onFault !== undefined) this.#options.onFault(error);
    else this.#stack.tcp.fault(error);
  }

  /** The stack's timer: the wheel's turn. */
  onTimer(now: Instant): void {
    try {
      this.#wheel.advance(now);
    } catch (error) {
      this.fault(error);
    }
    const next = this.#wheel.nextDeadline();
    if (next !== undefined && !this.#closed) this.#driveAt(next);
  }

  #driveAt(at: Instant): void {
    if (this.#drive === null) this.#drive = this.#stack.schedule(this, at);
    else this.#drive.reschedule(at);
  }

  #adopt(stream: TcpStream): void {
    stream.keeper = this;
    this.#streams.add(stream);
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error("the transport is closed");
  }
}

class TransportListener implements Listener {
  readonly address: SocketAddress;
  readonly #listener: TcpListener;
  readonly #onClose: () => void;

  constructor(listener: TcpListener, onClose: () => void) {
    this.address = listener.address;
    this.#listener = listener;
    this.#onClose = onClose;
  }

  pause(): void {
    this.#listener.pause();
  }

  resume(): void {
    this.#listener.resume();
  }

  close(): void {
    this.#listener.close();
    this.#onClose();
  }
}

const LOCALHOST = ["127.0.0.1", "::1"] as readonly string[] as readonly IpAddress[];

function endpoint(address: SocketAddress): { ip: Ip; port: number } {
  if (address.kind === "ip") return { ip: Ip.of(unmapIp(address.ip)), port: address.port };
  throw new NetError("EINVAL", `unix:${address.path}: a network stack has no Unix sockets`, {
    source: "internal",
  });
}
