import { addAbortSignal, Duplex } from "node:stream";
import { formatSocketAddress, type SocketAddress } from "../../core/address.ts";
import type { NetError } from "../../core/errors.ts";
import type { TcpSettings } from "../tcp/settings.ts";
import type { TcpStream } from "../tcp/tcp-stream.ts";
import { type AttemptEvent, ConnectAttempts } from "./connect-attempts.ts";
import {
  type ConnectOptions,
  readConnectArguments,
  type SocketOptions,
} from "./connect-options.ts";
import { type Face, soon } from "./face.ts";
import { type AddressInfo, type Family, familyOfText, readHost } from "./host-address.ts";
import { IdleTimer } from "./idle-timer.ts";
import { keepAliveAfter } from "./keep-alive-setting.ts";
import { readError, systemError, usageError } from "./socket-error.ts";
import { type Done, StreamEnd } from "./stream-end.ts";

const MOST_TIMEOUT = 2 ** 31 - 1;

/** A write that waits for the connection. */
interface EarlyWrite {
  readonly chunks: readonly Uint8Array[];
  readonly done: Done;
}

/**
 * A TCP connection of a stack with the manners of `net.Socket`: its methods, properties, events and
 * errors. Events: `lookup`, `connect`, `ready`, `data`, `end`, `drain`, `timeout`, `error`, `close`
 * (with whether there was an error), and the `connectionAttempt…` ones.
 *
 * `destroy` is `close(2)`: what was written is still sent, unread bytes turn it into a reset.
 */
export class StackSocket extends Duplex {
  connecting = false;
  /** Milliseconds, as last set. */
  timeout: number | undefined = undefined;
  /** `address:port` of all that were tried. */
  readonly autoSelectFamilyAttemptedAddresses: string[] = [];
  readonly #face: Face;
  readonly #idle: IdleTimer;
  #attempts: ConnectAttempts | null = null;
  #end: StreamEnd | null = null;
  #local: SocketAddress | null = null;
  #remote: SocketAddress | null = null;
  #noDelay: boolean;
  #keepAlive: TcpSettings["keepAlive"] = null;
  #earlyWrite: EarlyWrite | null = null;
  #earlyFinal: Done | null = null;
  #reset = false;
  #hadError = false;
  #queuedWhenIdle = 0;
  #onDestroyed: (() => void) | null = null;

  /** Not connected yet: call `connect`. `NodeNetwork.connect` does both. */
  constructor(face: Face, options: SocketOptions = {}) {
    const { allowHalfOpen = false, highWaterMark, signal, keepAlive, noDelay } = options;
    super({ allowHalfOpen, ...(highWaterMark === undefined ? {} : { highWaterMark }) });
    this.#face = face;
    this.#idle = new IdleTimer(face.stack.context, () => this.#onIdle());
    this.#noDelay = noDelay ?? false;
    if (keepAlive) this.setKeepAlive(true, options.keepAliveInitialDelay);
    if (signal !== undefined) addAbortSignal(signal, this);
  }

  connect(options: ConnectOptions, listener?: () => void): this;
  connect(port: number, listener?: () => void): this;
  connect(port: number, host: string, listener?: () => void): this;
  connect(...args: unknown[]): this {
    const [options, listener] = readConnectArguments(args);
    const { localAddress, noDelay, keepAlive } = options;
    if (this.destroyed || this.connecting || this.#end !== null) {
      throw usageError("ERR_SOCKET_CONNECTED", "The socket was connected before; make a new one");
    }
    if (localAddress !== undefined && readHost(this.#face.stack, localAddress) === null) {
      const text = `Invalid IP address: ${localAddress}`;
      throw usageError("ERR_INVALID_IP_ADDRESS", text, TypeError);
    }
    if (listener !== null) this.once("connect", listener);
    if (noDelay !== undefined) this.setNoDelay(noDelay);
    if (keepAlive) this.setKeepAlive(true, options.keepAliveInitialDelay);
    this.connecting = true;
    this.#idle.touch();
    this.#attempts = new ConnectAttempts(this.#face, options, {
      lookedUp: (error, address, family, host) => this.emit("lookup", error, address, family, host),
      attempted: (event, address, port, error) => this.#attempted(event, address, port, error),
      connected: (stream) => this.#connected(stream),
      failed: (error) => this.destroy(error),
      fault: (error) => this.blame(error),
    });
    return this;
  }

  get pending(): boolean {
    return this.#end === null;
  }

  get readyState(): "opening" | "open" | "readOnly" | "writeOnly" | "closed" {
    if (this.connecting) return "opening";
    if (this.readable) return this.writable ? "open" : "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }

  get bytesRead(): number {
    return this.#end?.bytesRead ?? 0;
  }

  /** What was given to `write`, also where it still waits. */
  get bytesWritten(): number {
    const end = this.#end;
    const waiting = this.destroyed ? 0 : this.writableLength;
    return end === null ? waiting : end.bytesWritten - end.inFlight + waiting;
  }

  get bufferSize(): number | undefined {
    return this.pending ? undefined : this.writableLength;
  }

  get localAddress(): string | undefined {
    return ipOf(this.#local);
  }

  get localPort(): number | undefined {
    return portOf(this.#local);
  }

  get localFamily(): Family | undefined {
    return familyIn(this.#local);
  }

  get remoteAddress(): string | undefined {
    return ipOf(this.#remote);
  }

  get remotePort(): number | undefined {
    return portOf(this.#remote);
  }

  get remoteFamily(): Family | undefined {
    return familyIn(this.#remote);
  }

  /** Our end; an empty object before there is one. */
  address(): AddressInfo | Record<string, never> {
    if (this.#local?.kind !== "ip") return {};
    const { ip, port } = this.#local;
    return { address: ip, family: familyOfText(ip), port };
  }

  /** The stream below, for what Node has no words for (`info()`, `linger`); null before it is connected. */
  get stream(): TcpStream | null {
    return this.#end?.stream ?? null;
  }

  setTimeout(timeout: number, listener?: () => void): this {
    if (typeof timeout !== "number" || !(timeout >= 0) || timeout === Number.POSITIVE_INFINITY) {
      const text = `The timeout must be a number of milliseconds, not ${String(timeout)}`;
      throw usageError("ERR_OUT_OF_RANGE", text, RangeError);
    }
    if (this.destroyed) return this;
    this.timeout = timeout;
    this.#idle.set(Math.min(timeout, MOST_TIMEOUT));
    if (listener === undefined) return this;
    if (timeout === 0) this.removeListener("timeout", listener);
    else this.once("timeout", listener);
    return this;
  }

  /** Nagle's algorithm off (RFC 1122 §4.2.3.4). */
  setNoDelay(noDelay?: boolean): this {
    this.#noDelay = noDelay !== false;
    if (this.#end !== null) this.#end.stream.noDelay = this.#noDelay;
    return this;
  }

  /** `initialDelay`: milliseconds until the first probe; 0: two hours. */
  setKeepAlive(enable = false, initialDelay = 0): this {
    this.#keepAlive = enable ? keepAliveAfter(initialDelay) : null;
    if (this.#end !== null) this.#end.stream.keepAlive = this.#keepAlive;
    return this;
  }

  /** Nothing to do: what keeps a process alive is the driver of the stack. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** Ends, and destroys once all is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** Closes with a RST. */
  resetAndDestroy(): this {
    if (this.connecting) {
      this.once("connect", () => this.resetAndDestroy());
      return this;
    }
    if (this.#end === null) {
      return this.destroy(usageError("ERR_SOCKET_CLOSED", "Socket is closed"));
    }
    this.#reset = true;
    return this.destroy();
  }

  /** The server's: a stream that it accepted. Returns what the stream is to have for its handler. */
  accept(stream: TcpStream, paused: boolean, onDestroyed: () => void): StreamEnd {
    this.#onDestroyed = onDestroyed;
    const end = this.#attach(stream);
    if (paused) {
      stream.pause();
      this.pause();
    }
    return end;
  }

  /** A listener threw: its connection is of no use any more. Tells of it, and resets the connection. */
  blame(error: unknown): void {
    this.#face.fault(error);
    this.#reset = true;
    this.destroy();
  }

  override write(chunk: unknown, callback?: Done): boolean;
  override write(chunk: unknown, encoding?: BufferEncoding, callback?: Done): boolean;
  override write(chunk: unknown, encoding?: BufferEncoding | Done, callback?: Done): boolean {
    // The socket ended itself, and its user may not know.
    if (this.readableEnded && this.writableEnded && !this.allowHalfOpen && !this.destroyed) {
      return this.#refuse(typeof encoding === "function" ? encoding : callback);
    }
    return typeof encoding === "function"
      ? super.write(chunk, encoding)
      : super.write(chunk, encoding as BufferEncoding, callback);
  }

  /** As `net.Socket` does, `close` says whether there was an error. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    return event === "close" ? super.emit(event, this.#hadError) : super.emit(event, ...args);
  }

  override _read(): void {
    this.#end?.stream.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#send([chunk], done);
  }

  override _writev(
    chunks: readonly { chunk: Uint8Array; encoding: BufferEncoding }[],
    done: Done,
  ): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: Done): void {
    if (this.connecting) {
      this.#earlyFinal = done;
      return;
    }
    this.#end?.stream.end();
    soon(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.connecting = false;
    this.#hadError = error !== null;
    this.#idle.set(0);
    this.#attempts?.cancel();
    const early = this.#earlyWrite;
    this.#earlyWrite = null;
    early?.done(error ?? closedEarly());
    this.#end?.release(this.#reset);
    // Node closes its handle first: callbacks of writes are told before `close`.
    if (error === null) soon(() => done());
    else done(error);
    this.#onDestroyed?.();
  }

  #send(chunks: readonly Uint8Array[], done: Done): void {
    if (this.connecting) this.#earlyWrite = { chunks, done };
    else if (this.#end === null) done(usageError("ERR_SOCKET_CLOSED", "Socket is closed"));
    else this.#end.write(chunks, done);
  }

  #attempted(event: AttemptEvent, address: string, port: number, error?: Error): void {
    const family = address.includes(":") ? 6 : 4;
    if (event === "connectionAttempt") {
      const ip = readHost(this.#face.stack, address)?.ip.toString();
      if (ip !== undefined) {
        this.autoSelectFamilyAttemptedAddresses.push(formatSocketAddress({ kind: "ip", ip, port }));
      }
    }
    this.emit(event, address, port, family, error);
  }

  #connected(stream: TcpStream): void {
    this.#attach(stream);
    this.connecting = false;
    this.#idle.touch();
    try {
      this.emit("connect");
      const early = this.#earlyWrite;
      this.#earlyWrite = null;
      if (early !== null) this.#send(early.chunks, early.done);
      this.emit("ready");
    } catch (error) {
      this.blame(error);
    }
    const final = this.#earlyFinal;
    this.#earlyFinal = null;
    if (final !== null && !this.destroyed) this._final(final);
  }

  #attach(stream: TcpStream): StreamEnd {
    this.#local = stream.local;
    this.#remote = stream.remote;
    const end = new StreamEnd(stream, {
      take: (chunk) => this.#take(chunk),
      gone: (error) => this.#gone(error),
      active: () => this.#idle.touch(),
    });
    this.#end = end;
    if (this.#noDelay) stream.noDelay = true;
    if (this.#keepAlive !== null) stream.keepAlive = this.#keepAlive;
    return end;
  }

  #take(chunk: Buffer | null): boolean {
    if (this.destroyed) return false;
    try {
      if (chunk !== null) return this.push(chunk);
      this.push(null);
      // Without a byte waiting, the end is to be told even where nobody reads.
      if (this.readableLength === 0) this.read(0);
    } catch (error) {
      this.blame(error);
    }
    return false;
  }

  #gone(error: NetError | null): void {
    if (this.destroyed) return;
    if (error !== null) this.destroy(readError(error));
    else if (!this.#end?.ended) this.destroy(systemError("ECONNABORTED", "read"));
  }

  #refuse(callback: Done | undefined): boolean {
    const text = "This socket has been ended by the other party";
    const error = usageError("EPIPE", text);
    if (callback !== undefined) soon(() => callback(error));
    this.destroy(error);
    return false;
  }

  /** Bytes that the peer acknowledged meanwhile are activity, too. */
  #onIdle(): void {
    const queued = this.#end?.stream.queued ?? 0;
    if (queued > 0 && queued !== this.#queuedWhenIdle) {
      this.#queuedWhenIdle = queued;
      this.#idle.touch();
      return;
    }
    try {
      this.emit("timeout");
    } catch (error) {
      this.#face.fault(error);
    }
  }
}

const ipOf = (address: SocketAddress | null): string | undefined =>
  address?.kind === "ip" ? address.ip : undefined;

const portOf = (address: SocketAddress | null): number | undefined =>
  address?.kind === "ip" ? address.port : undefined;

const familyIn = (address: SocketAddress | null): Family | undefined =>
  address?.kind === "ip" ? familyOfText(address.ip) : undefined;

const closedEarly = (): Error =>
  usageError(
    "ERR_SOCKET_CLOSED_BEFORE_CONNECTION",
    "Socket closed before the connection was established",
  );
