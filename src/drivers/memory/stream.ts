import { formatSocketAddress, type SocketAddress } from "../../core/address.ts";
import { allocBytes, copyBytes } from "../../core/bytes.ts";
import { type ErrorCode, NetError } from "../../core/errors.ts";
import type {
  ConnectHandler,
  Stream,
  StreamHandler,
  Timer,
  TimerTarget,
} from "../../core/transport.ts";
import { ByteQueue } from "./byte-queue.ts";
import type { Connection, Way } from "./connection.ts";
import { drawPiece, drawReadDelay } from "./link.ts";

/** Above this many queued bytes `write` asks for a pause; at or below LOW_WATER, `onWritable`. */
const HIGH_WATER = 64 * 1024;
const LOW_WATER = 16 * 1024;
/** Where in the lent memory the bytes begin: not at 0, which an owner might take for granted. */
const MARGIN = 5;

export interface StreamOwner {
  forget(stream: MemoryStream): void;
}

/**
 * One end of a connection in memory. What is written waits in the outbox until the window has room,
 * travels in pieces, waits in the peer's inbox until it is read, and only then makes room again.
 */
export class MemoryStream implements Stream, TimerTarget {
  handler: StreamHandler;
  closed = false;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly connection: Connection;
  readonly #owner: StreamOwner;
  readonly #way: Way;
  /** The other end, from the time on when the listener's host made it. */
  #peer: MemoryStream | null = null;
  /** While connecting: whose `onConnect` is due. */
  #connecting: ConnectHandler | null;
  readonly #outgoing: boolean;
  /** An accepted stream reads nothing before it has an owner. */
  #owned: boolean;
  #connectTimer: Timer | null = null;
  readonly #outbox = new ByteQueue();
  readonly #inbox = new ByteQueue();
  /** Bytes that were sent and not yet read at the other end, as far as we know. */
  #inFlight = 0;
  #transmitPlanned = false;
  #readPlanned = false;
  #paused = false;
  #overfull = false;
  #ending = false;
  #leaving = false;
  #endSent = false;
  #endArrived = false;
  #endTold = false;

  /** `connecting`: the owner of an outgoing stream; null for one that a listener made. */
  constructor(
    owner: StreamOwner,
    connection: Connection,
    local: SocketAddress,
    remote: SocketAddress,
    connecting: ConnectHandler | null,
  ) {
    this.#owner = owner;
    this.connection = connection;
    this.local = local;
    this.remote = remote;
    this.#way = connection.way();
    this.#connecting = connecting;
    this.#outgoing = connecting !== null;
    this.#owned = connecting !== null;
    this.handler = connecting ?? NOBODY;
  }

  get queued(): number {
    return this.#outbox.length;
  }

  write(buf: Uint8Array, start: number, end: number): boolean {
    if (this.closed) return false;
    if (this.#ending) throw new Error("write after end");
    if (!(start >= 0 && start <= end && end <= buf.length)) {
      throw new RangeError(`bytes [${start}, ${end}) of a buffer of ${buf.length}`);
    }
    const copy = allocBytes(end - start);
    copyBytes(buf, start, end, copy, 0);
    this.#outbox.push(copy);
    this.#planTransmit();
    const full = this.#outbox.length > HIGH_WATER;
    if (full) this.#overfull = true;
    return full;
  }

  end(): void {
    if (this.closed || this.#ending) return;
    this.#ending = true;
    this.#planTransmit();
  }

  close(): void {
    if (this.closed || this.#leaving) return;
    this.#leaving = true;
    this.#ending = true;
    if (this.#outbox.length === 0) this.#leave();
    else this.#planTransmit();
  }

  abort(): void {
    if (!this.closed) this.#finish(null, true);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#planRead();
  }

  /** Bounds the connect; the stream is the timer's target. */
  set connectTimer(timer: Timer) {
    this.#connectTimer = timer;
  }

  onTimer(): void {
    if (this.#connecting !== null) this.fail("CONNECT_TIMEOUT");
  }

  /** Closes a stream that could not connect. */
  fail(code: ErrorCode): void {
    if (this.closed) return;
    const message = `connect ${formatSocketAddress(this.remote)}: ${code}`;
    this.#finish(new NetError(code, message, { source: "upstream", retry: "always" }), false);
  }

  /** On the listener's side: this is now the other end of `client`, who hears of it in a while. */
  answer(client: MemoryStream): void {
    this.#peer = client;
    client.#peer = this;
    this.#way.send(() => client.#onAnswer());
  }

  /** Gives an accepted stream its owner, who hears of a close that came before. */
  adopt(handler: StreamHandler): void {
    this.handler = handler;
    this.#owned = true;
    if (this.closed) this.#call(() => handler.onClose(null));
    else this.#planRead();
  }

  #onAnswer(): void {
    const handler = this.#connecting;
    if (this.closed || handler === null) {
      this.#sendReset();
      return;
    }
    this.#connecting = null;
    this.#connectTimer?.cancel();
    this.#connectTimer = null;
    this.#note("connected");
    this.#call(() => handler.onConnect());
    this.#planTransmit();
    this.#planRead();
  }

  #planTransmit(): void {
    if (this.#transmitPlanned || this.#connecting !== null || this.closed) return;
    this.#transmitPlanned = true;
    const { simulation } = this.connection;
    simulation.at(simulation.now, () => {
      this.#transmitPlanned = false;
      if (!this.closed) this.#transmit();
    });
  }

  #transmit(): void {
    const { link, rng } = this.connection;
    while (this.#outbox.length > 0 && this.#inFlight < link.window) {
      const room = Math.min(this.#outbox.length, link.window - this.#inFlight);
      const piece = allocBytes(drawPiece(link, rng, room));
      this.#outbox.take(piece.length, piece, 0);
      this.#inFlight += piece.length;
      this.#way.send(() => this.#peer!.#onArrival(piece));
    }
    if (this.#overfull && this.#outbox.length <= LOW_WATER && !this.#leaving) {
      this.#overfull = false;
      this.#call(() => this.handler.onWritable());
    }
    if (this.closed || this.#outbox.length > 0 || !this.#ending) return;
    if (this.#leaving) this.#leave();
    else if (!this.#endSent) {
      this.#sendEnd();
      if (this.#endTold) this.#finish(null, false);
    }
  }

  #onArrival(piece: Uint8Array): void {
    if (this.connection.cut) return;
    if (this.closed) {
      this.#sendReset(); // RFC 1122 §4.2.2.13
      return;
    }
    const admitted = this.connection.admit(piece.length);
    this.#note(`${admitted} bytes arrive`);
    if (admitted > 0) this.#inbox.push(piece.subarray(0, admitted));
    this.#planRead();
    if (this.connection.cut) this.#break();
  }

  /** The link has broken: each end is told, after what has arrived so far could be read. */
  #break(): void {
    const { simulation, link } = this.connection;
    simulation.at(simulation.now + 2 * link.latency[1], () => this.#onReset());
    this.#sendReset();
  }

  #planRead(): void {
    if (this.#readPlanned || !this.#mayRead() || !this.#hasNews()) return;
    this.#readPlanned = true;
    const { simulation, link, rng } = this.connection;
    simulation.at(simulation.now + drawReadDelay(link, rng), () => {
      this.#readPlanned = false;
      if (this.#mayRead()) this.#read();
    });
  }

  #mayRead(): boolean {
    const open = !this.closed && !this.#leaving && this.#connecting === null;
    return open && this.#owned && !this.#paused;
  }

  #hasNews(): boolean {
    return this.#inbox.length > 0 || (this.#endArrived && !this.#endTold);
  }

  #read(): void {
    if (this.#inbox.length > 0) this.#readPiece();
    else if (this.#endArrived && !this.#endTold) {
      this.#endTold = true;
      this.#note("end");
      this.#call(() => this.handler.onEnd());
      if (this.#endSent && !this.closed) this.#finish(null, false);
    }
    this.#planRead();
  }

  #readPiece(): void {
    const { simulation, link, rng } = this.connection;
    const length = drawPiece(link, rng, this.#inbox.length);
    const buf = simulation.lend(length + 2 * MARGIN);
    this.#inbox.take(length, buf, MARGIN);
    this.#way.send(() => this.#peer!.#onRead(length));
    this.#note(`${length} bytes read`);
    this.#call(() => this.handler.onData(buf, MARGIN, MARGIN + length));
    // It was only borrowed: who kept it finds this.
    buf.fill(0xdb, MARGIN, MARGIN + length);
  }

  /** The peer has read so many bytes: there is room for more. */
  #onRead(length: number): void {
    this.#inFlight -= length;
    if (!this.closed && this.#outbox.length > 0) this.#planTransmit();
  }

  #onEnd(): void {
    if (this.closed || this.connection.cut) return;
    this.#endArrived = true;
    this.#planRead();
  }

  #onReset(): void {
    if (this.closed) return;
    const source = this.#outgoing ? "upstream" : "downstream";
    const error = new NetError("ECONNRESET", "stream: ECONNRESET", { source, retry: "if-reused" });
    this.#finish(error, false);
  }

  /** Everything is sent: the end follows, or a reset when something was left unread. */
  #leave(): void {
    const unread = this.#inbox.length > 0;
    if (!unread && !this.#endSent && this.#connecting === null) this.#sendEnd();
    this.#finish(null, unread);
  }

  #sendEnd(): void {
    this.#endSent = true;
    this.#way.send(() => this.#peer!.#onEnd());
  }

  #sendReset(): void {
    const peer = this.#peer;
    if (peer !== null) this.#way.send(() => peer.#onReset());
  }

  #finish(error: NetError | null, reset: boolean): void {
    this.closed = true;
    this.#connectTimer?.cancel();
    this.#connectTimer = null;
    this.#outbox.clear();
    this.#inbox.clear();
    this.#owner.forget(this);
    if (reset && this.#connecting === null) this.#sendReset();
    this.#note(error === null ? "closed" : `closed, ${error.code}`);
    this.#call(() => this.handler.onClose(error));
  }

  /** Calls a handler; one that throws loses its stream. */
  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.abort();
      this.connection.simulation.fault(error);
    }
  }

  #note(what: string): void {
    const ends = `${formatSocketAddress(this.local)} < ${formatSocketAddress(this.remote)}`;
    this.connection.simulation.note(`${ends}: ${what}`);
  }
}

/** A stream before it has an owner. */
const NOBODY: StreamHandler = {
  onData() {},
  onWritable() {},
  onEnd() {},
  onClose() {},
};
