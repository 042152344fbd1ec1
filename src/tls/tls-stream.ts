import type { SocketAddress } from "../core/address.ts";
import { allocBytes, copyBytes } from "../core/bytes.ts";
import type { NetError } from "../core/errors.ts";
import { after, type Duration, seconds } from "../core/time.ts";
import type {
  Stream,
  StreamHandler,
  Timer,
  TimerTarget,
  Transport,
  TurnTarget,
} from "../core/transport.ts";
import type { TlsConnection, TlsEngine, TlsEngineOwner } from "./engine.ts";
import type { TlsStream } from "./stream-api.ts";
import { WriteGather } from "./write-gather.ts";

/** What is written before the handshake is complete waits here; above this `write` says stop. */
const HIGH_WATER = 64 * 1024;
/** How long a stream that was left reads on, at most. */
const LINGER = seconds(2);

/** Owner of a stream that is closed or not told of yet. */
export const NOBODY: StreamHandler = { onData() {}, onWritable() {}, onEnd() {}, onClose() {} };

/**
 * A `Stream` over a `Stream`: an engine between two owners. It is the transport stream's handler and
 * the engine's owner; the roles differ in how they begin and whom they tell of the handshake.
 *
 * Callbacks come from the transport's turns alone, as core wants it: what a call of the owner leads to
 * waits for the end of the turn.
 */
export abstract class LayeredStream
  implements TlsStream, StreamHandler, TlsEngineOwner, TimerTarget, TurnTarget
{
  handler: StreamHandler = NOBODY;
  closed = false;
  protected readonly transport: Transport;
  #raw: Stream | null = null;
  #engine: TlsEngine | null = null;
  #timer: Timer | null = null;
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #paused = false;
  /** `resume` was called while the engine kept something, which is told at the end of the turn. */
  #resumed = false;
  readonly #gather = new WriteGather();
  /** `onWritable` is owed. */
  #overfull = false;
  /** The transport has said stop, and nothing since. */
  #rawFull = false;
  /** `end` or `close` was called; the second also gives up reading. */
  #ending = false;
  #leaving = false;
  #peerEnded = false;
  /** Calls into the engine that the owner's lead to: nothing may be told before the turn ends. */
  #called = 0;
  #doomed: NetError | null = null;
  /** Anything came after the handshake. */
  #heard = false;
  /** Left, and reading on until the peer ends. */
  #lingering = false;
  /** `onTurnEnd` is due. */
  #going = false;
  /** The transport is being closed for an error of ours, which is what will be told. */
  #failing = false;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  protected abstract tellHandshake(): void;
  /** The stream is gone; `told`: its owner knew of it. */
  protected abstract tellClose(error: NetError | null): void;
  protected abstract timeoutError(): NetError;

  get connection(): TlsConnection | null {
    return this.#engine?.connection ?? null;
  }

  get local(): SocketAddress {
    return this.raw.local;
  }

  get remote(): SocketAddress {
    return this.raw.remote;
  }

  get queued(): number {
    return this.closed ? 0 : this.#earlyBytes + this.#gather.length + this.raw.queued;
  }

  write(buf: Uint8Array, start: number, end: number): boolean {
    if (this.closed || this.#doomed !== null) return false;
    if (this.#ending) throw new Error("write after end");
    if (!(start >= 0 && start <= end && end <= buf.length)) {
      throw new RangeError(`bytes [${start}, ${end}) of a buffer of ${buf.length}`);
    }
    if (!this.#open) return this.#keepEarly(buf, start, end);
    if (start < end) this.#encrypt(buf, start, end);
    if (this.#rawFull) this.#overfull = true;
    return this.#rawFull;
  }

  end(): void {
    if (this.closed || this.#ending) return;
    this.#ending = true;
    if (!this.#open) return;
    this.#sendEnd();
    if (this.#peerEnded) this.#goOnSoon();
  }

  close(): void {
    if (this.closed || this.#leaving) return;
    this.#leaving = true;
    const idle = this.queued === 0;
    const ended = this.#ending;
    this.#ending = true;
    if (this.#engine?.state === "open") {
      if (!ended) this.#sayEnd();
    } else if (this.#earlyBytes > 0 && this.#doomed === null) return; // After the handshake.
    this.#leave();
    if (idle && !this.closed) this.#finish(null);
  }

  abort(): void {
    if (!this.closed) this.raw.abort();
  }

  pause(): void {
    this.#paused = true;
    if (!this.#open || this.closed) return;
    this.engine.pause();
    this.raw.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#open || this.closed) return;
    if (this.engine.holding) {
      this.#resumed = true;
      this.#goOnSoon();
    } else {
      this.engine.resume();
      this.raw.resume();
    }
  }

  // The transport stream's events.

  onData(buf: Uint8Array, start: number, end: number): void {
    if (!this.#leaving || !this.#open) this.engine.receive(buf, start, end);
  }

  onWritable(): void {
    this.#rawFull = false;
    if (!this.#overfull || this.closed || this.#leaving) return;
    this.#overfull = false;
    this.handler.onWritable();
  }

  onEnd(): void {
    if (!this.#leaving || !this.#open) this.engine.receiveEnd();
  }

  onClose(error: NetError | null): void {
    if (this.#lingering) this.#timer?.cancel();
    if (!this.closed && !this.#failing) this.#finish(error);
  }

  // The engine's events.

  onCiphertext(buf: Uint8Array, start: number, end: number): void {
    if (this.raw.write(buf, start, end)) this.#rawFull = true;
  }

  onHandshake(): void {
    this.#timer?.cancel();
    this.tellHandshake();
    if (this.closed) return;
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    for (const bytes of early) this.engine.write(bytes, 0, bytes.length);
    if (this.closed) return;
    if (this.#leaving) {
      this.engine.end();
      this.#leave();
      return;
    }
    if (this.#ending) this.#sendEnd();
    if (this.#paused) {
      this.engine.pause();
      this.raw.pause();
    }
    // `write` said true for what waited here: it is the transport's now.
    if (early.length > 0 && this.raw.queued <= HIGH_WATER) this.onWritable();
  }

  onPlaintext(buf: Uint8Array, start: number, end: number): void {
    this.#heard = true;
    if (!this.#leaving) this.handler.onData(buf, start, end);
  }

  onPeerEnd(): void {
    this.#heard = true;
    this.#peerEnded = true;
    if (!this.#leaving) this.handler.onEnd();
    // Both sides have said goodbye: the peer's FIN is not waited for.
    if (this.#ending && !this.closed) this.raw.close();
  }

  onError(error: NetError): void {
    if (this.closed || this.#doomed !== null) return;
    if (this.#called > 0) {
      this.#doomed = error;
      this.#goOnSoon();
    } else this.fail(error);
  }

  onTimer(): void {
    if (this.#lingering) this.raw.close();
    else if (!this.closed && !this.#open) this.fail(this.timeoutError());
  }

  onTurnEnd(): void {
    this.#going = false;
    if (this.closed) return;
    try {
      this.#flush();
      if (this.#doomed !== null) this.fail(this.#doomed);
      else this.#goOn();
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /** The stream underneath. */
  protected get raw(): Stream {
    return this.#raw!;
  }

  protected get engine(): TlsEngine {
    return this.#engine!;
  }

  protected set engine(engine: TlsEngine) {
    this.#engine = engine;
  }

  protected set raw(raw: Stream) {
    this.#raw = raw;
  }

  /** The owner knows of the handshake and has not closed. */
  get #open(): boolean {
    return this.#engine?.state === "open";
  }

  protected startTimer(timeout: Duration): void {
    this.#timer = this.transport.schedule(this, after(this.transport.now(), timeout));
  }

  protected stopTimer(): void {
    this.#timer?.cancel();
  }

  /** Closes with an error. An alert that is queued still goes out. */
  protected fail(error: NetError): void {
    if (this.closed || this.#failing) return;
    this.#failing = true;
    this.raw.close();
    this.#finish(error);
  }

  #finish(error: NetError | null): void {
    this.closed = true;
    if (!this.#lingering) this.#timer?.cancel();
    this.#engine?.close();
    this.#early = [];
    this.#earlyBytes = 0;
    this.#gather.clear();
    this.tellClose(error);
  }

  /** What a pause has kept, and what is due at the end. */
  #goOn(): void {
    if (this.#resumed && !this.#paused) {
      this.#resumed = false;
      this.engine.resume();
      if (this.closed) return;
      if (!this.#paused && !this.engine.holding) this.raw.resume();
    }
    if (this.#ending && this.#peerEnded && !this.closed) this.raw.close();
  }

  #goOnSoon(): void {
    if (this.#going) return;
    this.#going = true;
    this.transport.atTurnEnd(this);
  }

  /**
   * Gives the transport up. A client that has heard nothing since the handshake has tickets on their
   * way (RFC 8446 §4.6.1), and a socket that is closed over unread bytes resets: what we sent might be
   * lost. So it reads on, for a while, and forgets what comes.
   */
  #leave(): void {
    const { connection } = this;
    const tickets = this.engine.role === "client" && connection?.version === "TLSv1.3";
    if (!tickets || this.#heard) {
      this.raw.close();
      return;
    }
    this.#lingering = true;
    this.startTimer(LINGER);
    this.raw.end();
    this.raw.resume();
  }

  /** Small writes wait for the end of the turn, to share a record. */
  #encrypt(buf: Uint8Array, start: number, end: number): void {
    if (this.#gather.append(buf, start, end)) this.#goOnSoon();
    else {
      this.#flush();
      if (this.#gather.append(buf, start, end)) this.#goOnSoon();
      else this.#writeNow(buf, start, end);
    }
  }

  /** Encrypts what was gathered. */
  #flush(): void {
    const gather = this.#gather;
    if (gather.length === 0) return;
    this.#writeNow(gather.bytes, 0, gather.length);
    gather.clear();
  }

  #writeNow(buf: Uint8Array, start: number, end: number): void {
    this.#called++;
    try {
      this.engine.write(buf, start, end);
    } finally {
      this.#called--;
    }
  }

  #sayEnd(): void {
    this.#flush();
    this.#called++;
    try {
      this.engine.end();
    } finally {
      this.#called--;
    }
  }

  #sendEnd(): void {
    this.#sayEnd();
    this.raw.end();
  }

  #keepEarly(buf: Uint8Array, start: number, end: number): boolean {
    const copy = allocBytes(end - start);
    copyBytes(buf, start, end, copy, 0);
    this.#early.push(copy);
    this.#earlyBytes += copy.length;
    if (this.#earlyBytes <= HIGH_WATER) return false;
    this.#overfull = true;
    return true;
  }
}
