import { formatSocketAddress, type IpAddress, type SocketAddress } from "../../core/address.ts";
import { NetError } from "../../core/errors.ts";
import { type Rng, SeededRng } from "../../core/random.ts";
import { after, type Instant } from "../../core/time.ts";
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
import {
  IP_BIND_ADDRESS_NO_PORT,
  IPPROTO_IP,
  IPPROTO_TCP,
  TCP_NODELAY,
} from "../../native/constants.ts";
import type { DescriptorLog } from "../../native/descriptor-log.ts";
import { EINPROGRESS, systemError } from "../../native/errno.ts";
import { nativeAvailable } from "../../native/libc.ts";
import { familyOf } from "../../native/sockaddr.ts";
import { lookUp } from "../lookup.ts";
import { LoopTimer } from "../loop-timer.ts";
import { SystemRng } from "../system-rng.ts";
import { bindAndListen } from "./bind.ts";
import { EpollListener, STREAM_INTEREST } from "./listener.ts";
import { Reactor } from "./reactor.ts";
import type { ReactorStats } from "./stats.ts";
import { EpollStream } from "./stream.ts";
import { ConnectedAddresses } from "./stream-addresses.ts";

export interface EpollOptions {
  /** Seeds `rng`, for tests; without it `rng` is the operating system's, and fit for secrets. */
  readonly seed?: number;
  /** Bytes that one read can bring; one buffer for all streams. */
  readonly receiveBufferSize?: number;
  /** Where the open descriptors are noted, for whoever survives this thread. */
  readonly descriptors?: DescriptorLog;
  /** What a handler threw (its stream is aborted), and troubles of the driver itself. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Measured by bench/micro/epoll-relay.ts, CPU for 10 MB over 16 connections: 7.2 – 8.0 ms with 64 KiB,
 * 6.3 – 6.7 with 128, 3.5 – 4.3 with 256. Small messages do not feel it, for only what is written is
 * touched. A stream whose peer is slow can owe this much above the high-water mark.
 */
const RECEIVE_BUFFER_BYTES = 256 * 1024;

/** Throws a NetError (UNSUPPORTED) where native functions are not to be had: see `nativeAvailable`. */
export function createEpollTransport(options: EpollOptions): EpollTransport {
  return new EpollTransport(options);
}

/**
 * The fast transport: non-blocking sockets of Linux, driven through FFI. One per thread and loop; it
 * holds the loop open while it has listeners, streams or timers.
 */
export class EpollTransport implements Transport {
  readonly name = "epoll";
  readonly rng: Rng;
  readonly stats: ReactorStats;
  readonly #reactor: Reactor;
  readonly #timers: LoopTimer;
  #closed = false;

  constructor(options: EpollOptions) {
    const reason = nativeAvailable();
    if (reason !== null) {
      throw new NetError("UNSUPPORTED", `epoll driver: ${reason}`, { source: "internal" });
    }
    this.rng = options.seed === undefined ? new SystemRng() : new SeededRng(options.seed);
    this.#reactor = new Reactor(
      options.receiveBufferSize ?? RECEIVE_BUFFER_BYTES,
      options.descriptors ?? null,
      options.onFault,
    );
    this.stats = this.#reactor.stats;
    this.#timers = new LoopTimer(() => this.#reactor.now(), options.onFault);
  }

  wallClock(): number {
    return Date.now();
  }

  now(): Instant {
    return this.#reactor.now();
  }

  schedule(target: TimerTarget, at: Instant): Timer {
    return this.#timers.schedule(target, at);
  }

  async listen(
    address: SocketAddress,
    options: ListenOptions,
    acceptor: Acceptor,
  ): Promise<Listener> {
    if (this.#closed) {
      throw new NetError("ABORTED", "the transport is closed", { source: "internal" });
    }
    const reactor = this.#reactor;
    const { fd, address: bound, unlink } = bindAndListen(reactor.sockets, address, options);
    try {
      return new EpollListener(reactor, this.#timers, fd, bound, acceptor, unlink);
    } catch (error) {
      reactor.sockets.close(fd);
      unlink();
      throw error;
    }
  }

  connect(address: SocketAddress, options: ConnectOptions, handler: ConnectHandler): Stream {
    const reactor = this.#reactor;
    const { sockets } = reactor;
    const addresses = new ConnectedAddresses(sockets, address);
    if (this.#closed) return afterClose(new EpollStream(reactor, -1, addresses, handler));
    const fd = sockets.open(familyOf(address));
    const stream = new EpollStream(reactor, Math.max(fd, -1), addresses, handler);
    const error =
      fd < 0 ? systemError(-fd, "socket", "internal") : this.#start(stream, address, options);
    if (error !== null) {
      stream.failSoon(error);
      return stream;
    }
    if (options.timeout !== undefined) {
      stream.connectTimer = this.#timers.schedule(stream, after(this.now(), options.timeout));
    }
    return stream;
  }

  resolve(name: string): Promise<readonly IpAddress[]> {
    return lookUp(name);
  }

  atTurnEnd(target: TurnTarget): void {
    this.#reactor.atTurnEnd(target);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.close();
    this.#reactor.close();
  }

  /** Starts the connect of a new socket; returns what went wrong at once. */
  #start(stream: EpollStream, address: SocketAddress, options: ConnectOptions): NetError | null {
    const { sockets } = this.#reactor;
    const { fd } = stream;
    const failed = (error: number, what: string): NetError =>
      systemError(error, `${what} ${formatSocketAddress(address)}`, "upstream", "always");
    try {
      if (address.kind === "ip") {
        sockets.setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        if (options.localAddress !== undefined) {
          sockets.setOption(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
          const bound = sockets.bind(fd, { kind: "ip", ip: options.localAddress, port: 0 });
          if (bound < 0) return failed(-bound, `bind ${options.localAddress} to connect`);
        }
      }
      const result = sockets.connect(fd, address);
      if (result < 0 && result !== -EINPROGRESS) return failed(-result, "connect");
      const watched = this.#reactor.add(stream, STREAM_INTEREST);
      return watched < 0 ? failed(-watched, "epoll_ctl for") : null;
    } catch (error) {
      if (error instanceof NetError) return error;
      throw error;
    }
  }
}

/** No turn comes any more; a handler that connects as it is closed still gets its answer. */
function afterClose(stream: EpollStream): EpollStream {
  stream.failSoon(new NetError("ABORTED", "the transport is closed", { source: "internal" }));
  queueMicrotask(() => stream.onAgain());
  return stream;
}
