import type { Socket } from "node:net";
import { formatSocketAddress, type SocketAddress } from "../../core/address.ts";
import { NetError } from "../../core/errors.ts";
import type {
  ConnectHandler,
  Stream,
  StreamHandler,
  Timer,
  TimerTarget,
} from "../../core/transport.ts";
import { localOf } from "./addresses.ts";
import { nodeError } from "./node-error.ts";
import { PendingBytes, type WriteSlab } from "./pending-bytes.ts";

/** Above this many queued bytes `write` asks for a pause; at or below LOW_WATER, `onWritable`. */
const HIGH_WATER = 64 * 1024;
const LOW_WATER = 16 * 1024;

/** What a stream needs of its transport. */
export interface StreamOwner {
  readonly slab: WriteSlab;
  /** Calls `stream.flush()` at the end of this turn of the loop. */
  flushSoon(stream: NodeStream): void;
  forget(stream: NodeStream): void;
  fault(error: unknown): void;
}

/**
 * A stream over a socket of node:net. The socket is in charge of the descriptor and of backpressure to
 * the kernel; this class holds back what the contract does not allow (an end while paused, anything
 * after the close), copies what is written, and gathers the writes of a turn into one `writev`.
 *
 * Where the peer resets the connection, Node drops what it had read and not delivered, so an answer
 * that came right before a reset may be lost to a paused reader.
 */
export class NodeStream implements Stream, TimerTarget {
  handler: StreamHandler;
  closed = false;
  #local: SocketAddress;
  readonly #remote: SocketAddress;
  readonly #owner: StreamOwner;
  readonly #socket: Socket;
  readonly #pending: PendingBytes;
  readonly #afterWrite: () => void;
  /** While connecting: whose `onConnect` is due. */
  #connecting: ConnectHandler | null;
  readonly #outgoing: boolean;
  #connectTimer: Timer | null = null;
  #flushing = false;
  #paused = false;
  #ending = false;
  /** `close` was called: nothing is read any more. */
  #leaving = false;
  /** The peer's end has been read; told once not paused. */
  #endRead = false;
  #endTold = false;
  /** The socket is gone, cleanly; told after the end. */
  #gone = false;
  /** `write` said true: `onWritable` is owed. */
  #overfull = false;

  /** `connecting`: the owner of an outgoing stream; null for an accepted one. */
  constructor(
    owner: StreamOwner,
    socket: Socket,
    local: SocketAddress,
    remote: SocketAddress,
    connecting: ConnectHandler | null,
  ) {
    this.#owner = owner;
    this.#socket = socket;
    this.#pending = new PendingBytes(owner.slab);
    this.#local = local;
    this.#remote = remote;
    this.#connecting = connecting;
    this.#outgoing = connecting !== null;
    this.handler = connecting ?? NOBODY;
    this.#afterWrite = () => this.#onWritten();
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("end", () => this.#onSocketEnd());
    socket.on("error", (error) => this.#onSocketError(error));
    socket.on("close", () => this.#onSocketClose());
    if (connecting !== null) socket.on("connect", () => this.#onConnected());
  }

  get local(): SocketAddress {
    return this.#local;
  }

  get remote(): SocketAddress {
    return this.#remote;
  }

  get queued(): number {
    return this.closed ? 0 : this.#pending.length + this.#socket.writableLength;
  }

  /** Gives an accepted stream its owner, who hears of a close that came before, and lets it read. */
  adopt(handler: StreamHandler): void {
    this.handler = handler;
    if (this.closed) this.#call(() => handler.onClose(null));
    else if (!this.#paused) this.#socket.resume();
  }

  /** Bounds the connect; the stream is the timer's target. */
  set connectTimer(timer: Timer) {
    this.#connectTimer = timer;
  }

  write(buf: Uint8Array, start: number, end: number): boolean {
    if (this.closed) return false;
    if (this.#ending) throw new Error("write after end");
    if (!(start >= 0 && start <= end && end <= buf.length)) {
      throw new RangeError(`bytes [${start}, ${end}) of a buffer of ${buf.length}`);
    }
    this.#pending.append(buf, start, end);
    this.#flushSoon();
    const full = this.queued > HIGH_WATER;
    if (full) this.#overfull = true;
    return full;
  }

  end(): void {
    if (this.closed || this.#ending) return;
    this.#ending = true;
    this.#flushSoon();
  }

  close(): void {
    if (this.closed || this.#leaving) return;
    this.#leaving = true;
    this.#ending = true;
    this.#socket.pause();
    if (this.queued === 0) this.#finish(null, false);
    else this.#flushSoon();
  }

  abort(): void {
    if (!this.closed) this.#finish(null, true);
  }

  pause(): void {
    if (this.closed) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (this.closed || this.#leaving || !this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
    if (this.#endRead && !this.#endTold) setImmediate(() => this.#tellEnd());
  }

  onTimer(): void {
    if (this.#connecting === null || this.closed) return;
    const message = `connect ${formatSocketAddress(this.#remote)}: no answer in time`;
    this.fail(new NetError("CONNECT_TIMEOUT", message, { source: "upstream", retry: "always" }));
  }

  /** Closes with an error of the driver's own. */
  fail(error: NetError): void {
    if (!this.closed) this.#finish(error, true);
  }

  /** Hands what was written in this turn to the socket. */
  flush(): void {
    this.#flushing = false;
    if (this.closed || this.#socket.destroyed) return;
    this.#pending.moveTo(this.#socket, this.#afterWrite);
    if (!this.#ending || this.#socket.writableEnded) return;
    if (this.#leaving) this.#socket.end(() => this.#finish(null, false));
    else this.#socket.end();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#owner.flushSoon(this);
  }

  #onConnected(): void {
    const handler = this.#connecting;
    if (this.closed || handler === null) return;
    this.#connecting = null;
    this.#connectTimer?.cancel();
    this.#connectTimer = null;
    this.#local = localOf(this.#socket, this.#local);
    this.#call(() => handler.onConnect());
  }

  #onData(chunk: Buffer): void {
    if (this.closed || this.#leaving) return;
    try {
      this.handler.onData(chunk, 0, chunk.length);
    } catch (error) {
      this.#blame(error);
    }
  }

  #onWritten(): void {
    if (this.closed || !this.#overfull || this.#leaving || this.queued > LOW_WATER) return;
    this.#overfull = false;
    this.#call(() => this.handler.onWritable());
  }

  #onSocketEnd(): void {
    this.#endRead = true;
    this.#tellEnd();
  }

  /** The end, and the close when that waited for it: Node tells both to a paused stream, too. */
  #tellEnd(): void {
    if (this.closed || this.#paused || this.#leaving) return;
    if (!this.#endTold) {
      this.#endTold = true;
      this.#call(() => this.handler.onEnd());
    }
    if (this.#gone && !this.closed) this.#finish(null, false);
  }

  #onSocketError(error: Error): void {
    if (this.closed) return;
    const source = this.#outgoing ? "upstream" : "downstream";
    if (this.#connecting === null) {
      this.#finish(nodeError(error, "stream", source, "if-reused"), false);
      return;
    }
    const doing = `connect ${formatSocketAddress(this.#remote)}`;
    this.#finish(nodeError(error, doing, source, "always"), false);
  }

  #onSocketClose(): void {
    if (this.closed) return;
    this.#gone = true;
    if (!this.#endRead || this.#endTold || this.#leaving) this.#finish(null, false);
  }

  #finish(error: NetError | null, reset: boolean): void {
    if (this.closed) return;
    this.closed = true;
    this.#connectTimer?.cancel();
    this.#connectTimer = null;
    this.#pending.clear();
    this.#owner.forget(this);
    if (reset) resetSocket(this.#socket);
    else this.#socket.destroy();
    this.#call(() => this.handler.onClose(error));
  }

  /** Calls a handler; one that throws loses its stream. */
  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#blame(error);
    }
  }

  #blame(error: unknown): void {
    this.abort();
    this.#owner.fault(error);
  }
}

/** A stream before it has an owner. */
const NOBODY: StreamHandler = {
  onData() {},
  onWritable() {},
  onEnd() {},
  onClose() {},
};

/** A reset where there is something to reset: a TCP connection that is up, and not shutting down. */
export function resetSocket(socket: Socket): void {
  // libuv refuses a reset while its shutdown is under way, and then nothing is queued that a FIN
  // could make look complete.
  const shuttingDown = socket.writableEnded && socket.writableLength === 0;
  if (socket.connecting || shuttingDown || socket.remoteFamily === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
