import type { IpAddress, SocketAddress } from "../../src/core/address.ts";
import type { Rng } from "../../src/core/random.ts";
import type { Instant } from "../../src/core/time.ts";
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
} from "../../src/core/transport.ts";

/** A transport that remembers which streams and timers its user has, to be asked for what is left. */
export class WatchedTransport implements Transport {
  readonly name = "memory";
  /** The most bytes that were ever queued on one stream when `look` was called. */
  mostQueued = 0;
  private readonly inner: Transport;
  private readonly streams = new Set<Stream>();
  private readonly timers = new Set<Timer>();

  constructor(inner: Transport) {
    this.inner = inner;
  }

  get rng(): Rng {
    return this.inner.rng;
  }

  /** Looks at the queues; forgets what is gone. */
  look(): void {
    for (const stream of this.streams) {
      if (stream.closed) this.streams.delete(stream);
      else if (stream.queued > this.mostQueued) this.mostQueued = stream.queued;
    }
  }

  get openStreams(): number {
    this.look();
    return this.streams.size;
  }

  get activeTimers(): number {
    let active = 0;
    for (const timer of this.timers) if (timer.active) active++;
    return active;
  }

  now(): Instant {
    return this.inner.now();
  }

  wallClock(): number {
    return this.inner.wallClock();
  }

  schedule(target: TimerTarget, at: Instant): Timer {
    const timer = this.inner.schedule(target, at);
    this.timers.add(timer);
    return timer;
  }

  listen(address: SocketAddress, options: ListenOptions, acceptor: Acceptor): Promise<Listener> {
    return this.inner.listen(address, options, (stream) => {
      this.streams.add(stream);
      return acceptor(stream);
    });
  }

  connect(address: SocketAddress, options: ConnectOptions, handler: ConnectHandler): Stream {
    const stream = this.inner.connect(address, options, handler);
    this.streams.add(stream);
    return stream;
  }

  resolve(name: string): Promise<readonly IpAddress[]> {
    return this.inner.resolve(name);
  }

  atTurnEnd(target: TurnTarget): void {
    this.inner.atTurnEnd(target);
  }

  close(): void {
    this.inner.close();
  }
}
