import type { IpAddress, SocketAddress } from "../core/address.ts";
import { NetError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Instant } from "../core/time.ts";
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
} from "../core/transport.ts";
import type { TcpLayer } from "./tcp/tcp-layer.ts";

/** What the transport needs of a stack. */
export interface TransportStack extends Timers {
  now(): Instant;
  readonly rng: Rng;
  readonly tcp: TcpLayer;
}

export interface StackTransportOptions {
  readonly stack: TransportStack;
  /** The time of day in milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Addresses of a name; rejects with ENOTFOUND. Literals and `localhost` never get there. */
  readonly lookup?: (name: string) => Promise<readonly IpAddress[]>;
  /** Hears of errors that handlers, acceptors and timers throw. */
  readonly onFault?: (error: unknown) => void;
}

/** A stack's TCP as a `Transport`: what proxies and HTTP run on. */
export class StackTransport implements Transport {
  readonly name = "netstack";
  readonly rng: Rng;
  readonly #options: StackTransportOptions;

  constructor(options: StackTransportOptions) {
    this.#options = options;
    this.rng = options.stack.rng;
  }

  now(): Instant {
    return this.#options.stack.now();
  }

  wallClock(): number {
    return this.#options.wallClock();
  }

  schedule(target: TimerTarget, at: Instant): Timer {
    return this.#options.stack.schedule(target, at);
  }

  async listen(
    _address: SocketAddress,
    _options: ListenOptions,
    _acceptor: Acceptor,
  ): Promise<Listener> {
    throw new NetError("EINVAL", "listen: not yet", { source: "internal" });
  }

  connect(_address: SocketAddress, _options: ConnectOptions, _handler: ConnectHandler): Stream {
    throw new NetError("EINVAL", "connect: not yet", { source: "internal" });
  }

  async resolve(name: string): Promise<readonly IpAddress[]> {
    throw new NetError("ENOTFOUND", `resolve ${name}: no such name`, { source: "upstream" });
  }

  close(): void {}
}
