import type { SocketAddress } from "../../core/address.ts";
import { NetError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";
import type { ConnectHandler, Stream, StreamHandler, Timer } from "../../core/transport.ts";
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from "../../native/constants.ts";
import { EAGAIN, EPIPE, systemError } from "../../native/errno.ts";
import { errno, type Libc, libc } from "../../native/libc.ts";
import { Outbox, type OutboxOwner } from "./outbox.ts";
import type { Reactor, Source } from "./reactor.ts";
import type { StreamAddresses } from "./stream-addresses.ts";

/** Above this many queued bytes `write` asks for a pause; at or below LOW_WATER, `onWritable`. */
const HIGH_WATER = 64 * 1024;
const LOW_WATER = 16 * 1024;

/** Reads in a row of one stream before the others have their turn. */
const READS_PER_TURN = 4;

/** A stream before it has an owner, and after it is closed. */
const NOBODY: ConnectHandler = {
  onConnect() {},
  onData() {},
  onWritable() {},
  onEnd() {},
  onClose() {},
};

/**
 * A connected (or connecting) socket in the reactor's epoll set, edge-triggered: an event says that
 * something has changed since, so what is readable is remembered until a read comes back short, and
 * what is writable until a send does.
 *
 * It owns its descriptor and closes it exactly once, in `#close`, which is also the only place that
 * calls `onClose`.
 */
export class EpollStream implements Stream, Source, OutboxOwner {
  readonly generation: number;
  closed = false;
  #fd: number;
  #handler: StreamHandler;
  readonly #addresses: StreamAddresses;
  readonly #reactor: Reactor;
  readonly #outbox: Outbox;
  readonly #c: Libc = libc();
  /** While connecting: whose `onConnect` is due. */
  #connecting: ConnectHandler | null;
  #connectTimer: Timer | null = null;
  /** An error to close with in the next turn: for what failed before `connect` returned. */
  #doomed: NetError | null = null;
  #readable = false;
  /** The peer has ended or reset: a short read is not the last. */
  #hangup = false;
  #paused = false;
  #readEnded = false;
  #ending = false;
  #finSent = false;
  /** `write` said true: `onWritable` is owed. */
  #overfull = false;
  /** In the reactor's list of those that go on in the next turn. */
  #listed = false;

  /** `connecting`: the owner of an outgoing stream, whose connect is under way; null if accepted. */
  constructor(
    reactor: Reactor,
    fd: number,
    addresses: StreamAddresses,
    connecting: ConnectHandler | null,
  ) {
    this.#reactor = reactor;
    this.#fd = fd;
    this.#addresses = addresses;
    this.#connecting = connecting;
    this.#handler = connecting ?? NOBODY;
    this.generation = reactor.nextGeneration();
    this.#outbox = new Outbox(this, fd, reactor.sendMemory, connecting !== null);
    reactor.hold();
  }

  get fd(): number {
    return this.#fd;
  }

  get handler(): StreamHandler {
    return this.#handler;
  }

  set handler(handler: StreamHandler) {
    this.#handler = handler;
  }

  get queued(): number {
    return this.#outbox.queued;
  }

  get local(): SocketAddress {
    return this.#addresses.local(this.#fd);
  }

  get remote(): SocketAddress {
    return this.#addresses.remote(this.#fd);
  }

  /** Gives an accepted stream its owner, who hears of a close that came before. */
  adopt(handler: StreamHandler): void {
    this.#handler = handler;
    if (this.closed) handler.onClose(null);
  }

  write(buf: Uint8Array, start: number, end: number): boolean {
    if (this.closed) return false;
    if (this.#ending) throw new Error("write after end");
    // What follows hands addresses to the kernel: nothing outside of `buf` may pass.
    if (!(start >= 0 && start <= end && end <= buf.length)) throw badRange(buf, start, end);
    if (start === end) return this.#outbox.queued > HIGH_WATER;
    const outbox = this.#outbox;
    if (!outbox.listed) this.#reactor.flushSoon(outbox);
    outbox.append(buf, start, end);
    // After a failed send nothing is taken any more, and `onClose` is on its way.
    if (outbox.queued <= HIGH_WATER && outbox.error === 0) return false;
    this.#overfull = true;
    return true;
  }

  end(): void {
    if (this.closed || this.#ending) return;
    this.#ending = true;
    if (!this.#outbox.listed) this.#reactor.flushSoon(this.#outbox);
  }

  close(): void {
    if (this.closed) return;
    // Nothing is read any more and the end is to be sent: `afterSend` closes once that is done.
    this.#readEnded = true;
    this.#ending = true;
    if (this.#outbox.queued === 0) this.#close(null, false);
  }

  abort(): void {
    if (!this.closed) this.#close(null, true);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused || this.closed) return;
    this.#paused = false;
    if (this.#readable) this.#goOnLater();
  }

  /** Closes with the error in the next turn: for a connect that failed at once. */
  failSoon(error: NetError): void {
    this.#doomed = error;
    this.#goOnLater();
  }

  /** Bounds the connect; the stream is the timer's target. */
  set connectTimer(timer: Timer) {
    this.#connectTimer = timer;
  }

  onTimer(_now: Instant): void {
    if (this.#connecting === null || this.closed) return;
    const message = `connect ${this.#addresses.target}: no answer in time`;
    const error = new NetError("CONNECT_TIMEOUT", message, { source: "upstream", retry: "always" });
    this.#close(error, true);
  }

  onEvents(events: number): void {
    if (this.#connecting !== null && !this.#onConnectEvents(events)) return;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0) this.#hangup = true;
    if ((events & EPOLLOUT) !== 0 && this.#outbox.blocked) {
      this.#outbox.unblock();
      this.afterSend();
    }
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0 && !this.closed) {
      this.#readable = true;
      this.#read();
    }
    if ((events & EPOLLERR) !== 0 && !this.closed) this.#onSocketError();
  }

  onAgain(): void {
    this.#listed = false;
    if (this.closed) return;
    if (this.#doomed !== null) this.#close(this.#doomed, true);
    else if (this.#readable && !this.#paused) this.#read();
  }

  onThrow(error: unknown): void {
    this.abort();
    this.#reactor.onFault(error);
  }

  destroy(): void {
    this.abort();
  }

  /** After the outbox has sent what it could; handlers may be called here. */
  afterSend(): void {
    if (this.closed) return;
    if (this.#outbox.error !== 0) {
      this.#afterSendError();
      return;
    }
    if (this.#overfull && this.#outbox.queued <= LOW_WATER) {
      this.#overfull = false;
      this.#callOnWritable();
    }
    const flushed = this.#outbox.queued === 0 && this.#connecting === null;
    if (this.#ending && !this.#finSent && !this.closed && flushed) {
      this.#finSent = true;
      if (this.#readEnded) this.#close(null, false);
      else this.#reactor.sockets.shutdownWrite(this.#fd);
    }
  }

  /** The first event of an outgoing stream; false when it closed. */
  #onConnectEvents(events: number): boolean {
    const handler = this.#connecting!;
    if ((events & (EPOLLERR | EPOLLHUP)) !== 0) {
      const error = this.#reactor.sockets.pendingError(this.#fd);
      if (error !== 0) {
        const doing = `connect ${this.#addresses.target}`;
        this.#close(systemError(error, doing, "upstream", "always"), false);
        return false;
      }
    }
    if ((events & EPOLLOUT) === 0) return false;
    this.#connecting = null;
    this.#connectTimer?.cancel();
    this.#connectTimer = null;
    handler.onConnect();
    if (this.closed) return false;
    // Sends what was written before, or during `onConnect`.
    this.#outbox.unblock();
    this.afterSend();
    return !this.closed;
  }

  #read(): void {
    if (this.#paused || this.#readEnded) return;
    const { received, stats } = this.#reactor;
    for (let reads = 0; reads < READS_PER_TURN; reads++) {
      const n = this.#c.recv(this.#fd, received.address, received.length, 0);
      stats.receives++;
      if (n <= 0) {
        this.#onReadStop(n);
        return;
      }
      stats.bytesIn += n;
      // epoll(7), question 9: a short read has emptied a stream socket, and what comes later is a
      // new edge. Not so when a FIN or an error is behind it, whose edge this event was.
      if (n < received.length && !this.#hangup) this.#readable = false;
      this.#handler.onData(received.bytes, 0, n);
      if (this.closed || this.#paused || !this.#readable) return;
    }
    this.#goOnLater();
  }

  /** A read brought 0 bytes or an error. */
  #onReadStop(n: number): void {
    const error = n < 0 ? errno() : 0;
    const sendError = this.#outbox.error;
    if (error === EAGAIN && sendError === 0) {
      this.#readable = false;
      return;
    }
    if (sendError !== 0) {
      // A reset after a FIN is EPIPE, one without is ECONNRESET (tcp_reset in tcp_input.c): so the
      // end was a clean one, and what came before it is whole.
      if (error === 0 && sendError === EPIPE) this.#handler.onEnd();
      if (!this.closed)
        this.#close(systemError(sendError, "send", this.#source, "if-reused"), true);
      return;
    }
    this.#readable = false;
    if (error !== 0) {
      this.#close(systemError(error, "receive", this.#source, "if-reused"), true);
      return;
    }
    this.#readEnded = true;
    this.#handler.onEnd();
    if (this.#finSent && !this.closed) this.#close(null, false);
  }

  /** Sending has failed. What the peer sent before is delivered first: it may be an early answer. */
  #afterSendError(): void {
    const error = this.#outbox.error;
    const drained = this.#readEnded || (this.#paused && this.#peek() <= 0);
    if (drained) {
      this.#close(systemError(error, "send", this.#source, "if-reused"), true);
      return;
    }
    this.#readable = true;
    this.#hangup = true;
    if (!this.#paused) this.#goOnLater();
  }

  /** After the reads: an error may wait on the socket that none of them has met. */
  #onSocketError(): void {
    // A send has met it, or more reads are to come that will.
    if (this.#outbox.error !== 0 || this.#listed) return;
    let error = 0;
    if (this.#paused && !this.#readEnded) {
      const unread = this.#peek();
      // `resume` reads what is in front of the error, then meets it.
      if (unread > 0) return;
      error = -unread;
    }
    if (error === 0 || error === EAGAIN) error = this.#reactor.sockets.pendingError(this.#fd);
    if (error !== 0) this.#close(systemError(error, "stream", this.#source, "if-reused"), true);
  }

  #peek(): number {
    return this.#reactor.sockets.peek(this.#fd);
  }

  get #source(): "upstream" | "downstream" {
    return this.#addresses.target === "" ? "downstream" : "upstream";
  }

  #goOnLater(): void {
    if (this.#listed) return;
    this.#listed = true;
    this.#reactor.again(this);
  }

  /** From a flush, which no handler's error may stop. */
  #callOnWritable(): void {
    try {
      this.#handler.onWritable();
    } catch (error) {
      this.onThrow(error);
    }
  }

  #close(error: NetError | null, reset: boolean): void {
    this.closed = true;
    this.#connecting = null;
    this.#connectTimer?.cancel();
    this.#connectTimer = null;
    this.#outbox.clear();
    const { sockets } = this.#reactor;
    if (this.#fd >= 0) {
      this.#reactor.forget(this);
      if (reset) sockets.reset(this.#fd);
      else sockets.close(this.#fd);
      this.#fd = -1;
    }
    this.#reactor.release();
    const handler = this.#handler;
    try {
      handler.onClose(error);
    } catch (thrown) {
      this.#reactor.onFault(thrown);
    }
  }
}

const badRange = (buf: Uint8Array, start: number, end: number): RangeError =>
  new RangeError(`bytes [${start}, ${end}) of a buffer of ${buf.length}`);
