import type { SocketAddress } from "../../core/address.ts";
import { after, type Instant, millis } from "../../core/time.ts";
import type { Acceptor, Listener, Timer, Timers } from "../../core/transport.ts";
import { EPOLLET, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from "../../native/constants.ts";
import {
  EAGAIN,
  ECONNABORTED,
  EMFILE,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  systemError,
} from "../../native/errno.ts";
import type { Reactor, Source } from "./reactor.ts";
import { EpollStream } from "./stream.ts";
import { AcceptedAddresses } from "./stream-addresses.ts";

/** Connections that one turn takes from a listener; level-triggered, so the rest comes in the next. */
const ACCEPTS_PER_TURN = 64;
/** Connections taken over from the backlog when the listener closes. */
const LAST_ACCEPTS = 4096;

/** How long a listener rests when descriptors or memory have run out. */
const EXHAUSTED_PAUSE = millis(100);

/** All that a stream ever waits for, so that one epoll_ctl serves for its whole life. */
export const STREAM_INTEREST = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

/** A listening socket in the reactor's set. It owns its descriptor. */
export class EpollListener implements Listener, Source {
  readonly address: SocketAddress;
  readonly fd: number;
  readonly generation: number;
  readonly #reactor: Reactor;
  readonly #timers: Timers;
  readonly #acceptor: Acceptor;
  /** What closing has to undo besides: a Unix socket's file. */
  readonly #onClosed: (listener: EpollListener) => void;
  #rest: Timer | null = null;
  /** Descriptors have run out, and it was said. */
  #exhausted = false;
  #paused = false;
  #watching = false;
  #closed = false;

  /** `fd` listens already. Throws the NetError when it cannot be watched. */
  constructor(
    reactor: Reactor,
    timers: Timers,
    fd: number,
    address: SocketAddress,
    acceptor: Acceptor,
    onClosed: (listener: EpollListener) => void,
  ) {
    this.#reactor = reactor;
    this.#timers = timers;
    this.fd = fd;
    this.address = address;
    this.#acceptor = acceptor;
    this.#onClosed = onClosed;
    this.generation = reactor.nextGeneration();
    this.#watch();
    reactor.hold();
  }

  pause(): void {
    this.#paused = true;
    this.#watch();
  }

  resume(): void {
    this.#paused = false;
    this.#watch();
  }

  close(): void {
    if (this.#closed) return;
    // The kernel has completed these: with the socket they would be reset, requests and all.
    for (let i = 0; i < LAST_ACCEPTS && !this.#paused; i++) {
      const fd = this.#reactor.sockets.accept(this.fd);
      if (fd >= 0) this.#accepted(fd);
      else if (-fd !== ECONNABORTED) break;
    }
    this.#release();
  }

  #release(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watching = false;
    this.#rest?.cancel();
    this.#reactor.forget(this);
    this.#reactor.sockets.close(this.fd);
    this.#reactor.release();
    this.#onClosed(this);
  }

  onEvents(_events: number): void {
    for (let i = 0; i < ACCEPTS_PER_TURN && this.#watching; i++) {
      const fd = this.#reactor.sockets.accept(this.fd);
      if (fd >= 0) this.#accepted(fd);
      else if (!this.#onAcceptError(-fd)) return;
    }
  }

  /** The rest after exhaustion is over. */
  onTimer(_now: Instant): void {
    this.#rest = null;
    this.#watch();
  }

  onAgain(): void {
    this.#watch();
  }

  onThrow(error: unknown): void {
    this.#reactor.onFault(error);
  }

  destroy(): void {
    this.#release();
  }

  #accepted(fd: number): void {
    const reactor = this.#reactor;
    const { sockets } = reactor;
    reactor.stats.accepts++;
    this.#exhausted = false;
    const addresses = new AcceptedAddresses(sockets, this.address, sockets.acceptedPeer());
    const stream = new EpollStream(reactor, fd, addresses, null);
    const failure = reactor.add(stream, STREAM_INTEREST);
    if (failure < 0) {
      stream.abort();
      reactor.onFault(systemError(-failure, "epoll_ctl", "internal"));
      return;
    }
    try {
      const handler = this.#acceptor(stream);
      if (handler === null) stream.abort();
      else stream.adopt(handler);
    } catch (error) {
      stream.onThrow(error);
    }
  }

  /** Whether to accept on. */
  #onAcceptError(error: number): boolean {
    switch (error) {
      case EAGAIN:
        return false;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        this.#restAwhile(error);
        return false;
      case ECONNABORTED:
        return true;
      default:
        // accept(2): errors of the network that wait on the new socket come here, too.
        return error !== 0;
    }
  }

  /** The backlog keeps the connections; accepting again at once would spin, for the set still says IN. */
  #restAwhile(error: number): void {
    this.#rest = this.#timers.schedule(this, after(this.#reactor.now(), EXHAUSTED_PAUSE));
    this.#watch();
    if (this.#exhausted) return;
    this.#exhausted = true;
    const { address } = this;
    const where = address.kind === "unix" ? address.path : `port ${address.port}`;
    this.#reactor.onFault(systemError(error, `accept on ${where}, resting`, "internal"));
  }

  /** In the set exactly while it may accept. */
  #watch(): void {
    const wanted = !this.#closed && !this.#paused && this.#rest === null;
    if (wanted === this.#watching) return;
    this.#watching = wanted;
    if (!wanted) {
      this.#reactor.remove(this);
      return;
    }
    const failure = this.#reactor.add(this, EPOLLIN);
    if (failure < 0) throw systemError(-failure, "epoll_ctl", "internal");
  }
}
