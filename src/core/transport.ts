import type { IpAddress, SocketAddress } from "./address.ts";
import type { NetError } from "./errors.ts";
import type { Rng } from "./random.ts";
import type { Clock, Duration, Instant } from "./time.ts";

/**
 * The owner of a stream, called by its driver. Calls never nest inside a call that the owner makes on
 * the same stream, except that `onClose` may follow directly from `abort()` or `close()`.
 */
export interface StreamHandler {
  /** Bytes buf[start, end) arrived. Borrowed: valid until this call returns; to keep is to copy. */
  onData(buf: Uint8Array, start: number, end: number): void;
  /** What `write` had queued has fallen under the low-water mark, after it said `true`. */
  onWritable(): void;
  /** The peer sent its last byte (half-close); writing goes on working. */
  onEnd(): void;
  /** The stream is gone; exactly once, and last. `null` when both sides ended cleanly or we aborted. */
  onClose(error: NetError | null): void;
}

/** The owner of an outgoing stream: hears once that it is connected, unless it closes before. */
export interface ConnectHandler extends StreamHandler {
  onConnect(): void;
}

/** Where bytes go. */
export interface ByteSink {
  /**
   * Takes buf[start, end) whole, by sending or by copying before it returns: the caller may reuse the
   * memory at once. Returns true above the high-water mark: stop writing until `onWritable`.
   */
  write(buf: Uint8Array, start: number, end: number): boolean;
}

/** A connected byte stream. After `end`, `write` throws; after close, every call does nothing. */
export interface Stream extends ByteSink {
  handler: StreamHandler;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** Bytes taken by `write` and not yet by the peer's side of the driver. */
  readonly queued: number;
  readonly closed: boolean;
  /** Sends what is queued, then a FIN. Reading goes on until the peer ends. */
  end(): void;
  /**
   * Gives the stream up politely: what is queued is still sent (also by the kernel, after the socket
   * is closed), nothing more is read, the peer's end is not waited for. `onClose(null)` follows, at
   * once where nothing is queued. No reset, unless received bytes were left unread.
   */
  close(): void;
  /** Closes at once and forgets what is queued (RST where the transport has one). */
  abort(): void;
  /** No `onData` and no `onEnd` until `resume`. Data stays in the transport: backpressure. */
  pause(): void;
  resume(): void;
}

export interface ListenOptions {
  /** Let several sockets share the address, one a worker (SO_REUSEPORT). */
  readonly reusePort?: boolean;
  readonly backlog?: number;
  /** Unix sockets: the file's mode. */
  readonly mode?: number;
  /** IPv6 listeners: refuse IPv4-mapped peers (IPV6_V6ONLY). */
  readonly ipv6Only?: boolean;
}

export interface Listener {
  /** The bound address; a port of 0 is replaced by the one that was given. */
  readonly address: SocketAddress;
  /** Stops accepting without closing the socket, and starts again. */
  pause(): void;
  resume(): void;
  /**
   * Stops accepting and releases the address. Accepted streams live on. Where the driver can, what the
   * kernel has completed and nobody accepted is accepted first, within this call.
   */
  close(): void;
}

export interface ConnectOptions {
  /** From the call to `onConnect`; past it the stream closes with CONNECT_TIMEOUT. */
  readonly timeout?: Duration;
  readonly localAddress?: IpAddress;
}

/** Called for each accepted stream; returns its owner, or null to refuse (the stream is aborted). */
export type Acceptor = (stream: Stream) => StreamHandler | null;

/** Something that wants to be called at an instant; it carries the wheel's links. */
export interface TimerTarget {
  onTimer(now: Instant): void;
}

/** Something that gathers during a turn of the driver what it does at the turn's end. */
export interface TurnTarget {
  onTurnEnd(): void;
}

export interface Timers {
  /** Calls `target.onTimer` once, at or soon after `at` (within a tick). Returns a handle. */
  schedule(target: TimerTarget, at: Instant): Timer;
}

export interface Timer {
  /** Moves the deadline; works after firing, too. */
  reschedule(at: Instant): void;
  cancel(): void;
  readonly active: boolean;
}

/** All that protocols see of the world: one per worker. */
export interface Transport extends Clock, Timers {
  readonly name: "epoll" | "node" | "memory" | "netstack";
  readonly rng: Rng;
  /** The time of day in milliseconds since 1970 (UTC), for what is written down; it may jump. */
  wallClock(): number;
  /** Rejects with a NetError (EADDRINUSE, EACCES, EADDRNOTAVAIL, …), nothing bound. */
  listen(address: SocketAddress, options: ListenOptions, acceptor: Acceptor): Promise<Listener>;
  /** Starts to connect; failure arrives as `onClose(error)`, never thrown and never before return. */
  connect(address: SocketAddress, options: ConnectOptions, handler: ConnectHandler): Stream;
  /** Addresses of a name, in the resolver's order. Rejects with ENOTFOUND. */
  resolve(name: string): Promise<readonly IpAddress[]>;
  /**
   * Calls `target.onTurnEnd` soon, once for each call: when the events at hand have been told, and where
   * the driver can, before what they wrote is sent. Many small writes become one so.
   */
  atTurnEnd(target: TurnTarget): void;
  /** Releases everything: listeners, streams (aborted), timers; targets of `atTurnEnd` are forgotten. */
  close(): void;
}
