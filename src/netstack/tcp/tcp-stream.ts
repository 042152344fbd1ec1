import type { SocketAddress } from "../../core/address.ts";
import { checkRange } from "../../core/bytes.ts";
import type { NetError } from "../../core/errors.ts";
import type { Duration } from "../../core/time.ts";
import type { ConnectHandler, Stream, StreamHandler, Timer } from "../../core/transport.ts";
import type { Deferred } from "./deferred.ts";
import type { TcpInfo } from "./info.ts";
import type { TcpOwner } from "./owner.ts";
import type { TcpSettings } from "./settings.ts";
import { connectError, socketAddress } from "./socket-errors.ts";
import type { TcpFlow } from "./tcp-flow.ts";

/** Who keeps a stream: hears when it has gone, and of what its handler throws. */
export interface StreamKeeper {
  forget(stream: TcpStream): void;
  fault(error: unknown): void;
}

/** What a stream needs of its layer. */
export interface StreamLayer {
  /** Has `runDeferred` called in the next run of the stack. */
  defer(what: Deferred): void;
  /** The stream's user has gone. */
  orphaned(flow: TcpFlow): void;
}

/**
 * A TCP connection as a `Stream`: what applications hold. All calls to its handler come from runs of
 * the stack, but for the `onClose` that `close` and `abort` allow.
 */
export class TcpStream implements Stream, TcpOwner, Deferred {
  handler: StreamHandler;
  closed = false;
  keeper: StreamKeeper;
  /** Deferred and not yet run. */
  deferred = false;
  readonly #flow: TcpFlow;
  /** Whose `onConnect` is due. */
  #connecting: ConnectHandler | null;
  #connectTimer: Timer | null = null;
  /** Why an attempt to connect is about to fail. */
  #failure: NetError | null = null;
  /** `telling`: `onConnect` is running; `aborted`: it has called `abort`, which is still to be done. */
  #opening: "connecting" | "telling" | "aborted" | "open";
  #reading: "flowing" | "paused" | "resuming" = "flowing";
  /** `left`: after `close`. */
  #writing: "open" | "ended" | "left" = "open";
  #overfull = false;

  /** `connecting`: the owner of an outgoing stream; null for one that a listener made. */
  constructor(keeper: StreamKeeper, flow: TcpFlow, connecting: ConnectHandler | null) {
    this.keeper = keeper;
    this.#flow = flow;
    this.#connecting = connecting;
    this.#opening = connecting === null ? "open" : "connecting";
    this.handler = connecting ?? NOBODY;
  }

  get local(): SocketAddress {
    return socketAddress(this.#flow.local, this.#flow.localPort);
  }

  get remote(): SocketAddress {
    return socketAddress(this.#flow.remote, this.#flow.remotePort);
  }

  /** Written and not yet acknowledged by the peer, in bytes. */
  get queued(): number {
    return this.closed ? 0 : (this.#flow.connection?.queued ?? 0);
  }

  write(buf: Uint8Array, start: number, end: number): boolean {
    if (this.closed) return false;
    if (this.#writing !== "open") throw new Error("write after end");
    checkRange(buf, start, end);
    const { connection } = this.#flow;
    if (connection === null) return false;
    if (end > start) connection.write(buf, start, end);
    if (connection.queued <= connection.highWater) return false;
    this.#overfull = true;
    return true;
  }

  end(): void {
    if (this.closed || this.#writing !== "open") return;
    this.#writing = "ended";
    this.#flow.connection?.end();
  }

  close(): void {
    if (this.closed || this.#writing === "left") return;
    this.#writing = "left";
    const { connection } = this.#flow;
    if (connection !== null) {
      connection.close();
      this.#layer.orphaned(this.#flow);
    }
    if (this.queued === 0) this.#finish(null);
  }

  abort(): void {
    if (this.closed) return;
    // The connection's own `onClosed` would come from within; what follows is the same for all.
    this.#finish(null, () => {
      if (this.#opening !== "telling") this.#flow.connection?.abort();
      else {
        // Our ACK has not left yet: reset now, a listener would never hear that there was a connection.
        this.#opening = "aborted";
        this.#layer.defer(this);
      }
    });
  }

  pause(): void {
    if (this.closed) return;
    if (this.#reading === "flowing") this.#flow.connection?.pause();
    this.#reading = "paused";
  }

  /** What has arrived meanwhile comes in the next run of the stack. */
  resume(): void {
    if (this.closed || this.#reading !== "paused") return;
    this.#reading = "resuming";
    this.#layer.defer(this);
  }

  /** TCP_NODELAY: send partial segments at once. */
  set noDelay(on: boolean) {
    if (this.#flow.connection !== null) this.#flow.connection.noDelay = on;
  }

  /** TCP_CORK: hold partial segments back. */
  set cork(on: boolean) {
    if (this.#flow.connection !== null) this.#flow.connection.cork = on;
  }

  set keepAlive(setting: TcpSettings["keepAlive"]) {
    if (this.#flow.connection !== null) this.#flow.connection.keepAlive = setting;
  }

  /** TCP_USER_TIMEOUT (RFC 5482): how long data may stay unacknowledged. */
  set userTimeout(timeout: Duration) {
    if (this.#flow.connection !== null) this.#flow.connection.userTimeout = timeout;
  }

  /** SO_LINGER: after `close`, null sends what is queued in its own time, 0 resets, else at most so long. */
  set linger(linger: Duration | null) {
    if (this.#flow.connection !== null) this.#flow.connection.linger = linger;
  }

  /** After Linux's TCP_INFO; null before there is a connection. */
  info(): TcpInfo | null {
    return this.#flow.connection?.info() ?? null;
  }

  get #layer(): StreamLayer {
    return this.#flow.layer;
  }

  // The layer's side.

  /** Bounds the attempt to connect. */
  set connectTimer(timer: Timer) {
    this.#connectTimer = timer;
  }

  /** Ends an attempt to connect in the next run of the stack. */
  failConnect(error: NetError): void {
    if (this.closed || this.#connecting === null || this.#failure !== null) return;
    this.#failure = error;
    this.#layer.defer(this);
  }

  /** The timeout of `connect` has passed. */
  onTimer(): void {
    if (this.closed || this.#connecting === null) return;
    const { remote, remotePort } = this.#flow;
    this.#finish(connectError("CONNECT_TIMEOUT", remote, remotePort), () =>
      this.#flow.connection?.abort(),
    );
  }

  /** Gives an accepted stream its owner. */
  adopt(handler: StreamHandler): void {
    this.handler = handler;
    if (this.closed) this.#call(() => handler.onClose(null));
  }

  runDeferred(): void {
    if (this.closed) {
      if (this.#opening === "aborted") this.#flow.connection?.abort();
      this.#opening = "open";
      return;
    }
    if (this.#failure !== null) {
      const failure = this.#failure;
      this.#finish(failure, () => this.#flow.connection?.abort());
      return;
    }
    if (this.#reading !== "resuming") return;
    this.#reading = "flowing";
    this.#flow.connection?.resume();
  }

  // The connection's owner.

  onEstablished(): void {
    const connecting = this.#connecting;
    if (this.closed || connecting === null) return;
    this.#connecting = null;
    this.#connectTimer?.cancel();
    this.#connectTimer = null;
    this.#opening = "open";
    if (this.#writing === "left") return;
    this.#opening = "telling";
    try {
      connecting.onConnect();
    } catch (error) {
      this.#failed(error);
    }
    if (this.#opening === "telling") this.#opening = "open";
  }

  onData(bytes: Uint8Array, start: number, end: number): void {
    if (this.closed || this.#writing === "left") return;
    try {
      this.handler.onData(bytes, start, end);
    } catch (error) {
      this.#failed(error);
    }
  }

  onEnd(): void {
    if (this.closed || this.#writing === "left") return;
    try {
      this.handler.onEnd();
    } catch (error) {
      this.#failed(error);
    }
  }

  onAcknowledged(): void {
    if (this.closed) return;
    const connection = this.#flow.connection!;
    if (this.#writing === "left") {
      if (connection.queued === 0) this.#finish(null);
      return;
    }
    if (!this.#overfull || connection.queued > connection.lowWater) return;
    this.#overfull = false;
    try {
      this.handler.onWritable();
    } catch (error) {
      this.#failed(error);
    }
  }

  onClosed(error: NetError | null): void {
    this.#finish(this.#writing === "left" ? null : error);
  }

  #failed(error: unknown): void {
    this.abort();
    this.keeper.fault(error);
  }

  /** Tells of the end, once; `last` runs before, when the stream already takes no calls. */
  #finish(error: NetError | null, last?: () => void): void {
    if (this.closed) return;
    this.closed = true;
    this.#connecting = null;
    this.#connectTimer?.cancel();
    this.#connectTimer = null;
    last?.();
    this.keeper.forget(this);
    this.#call(() => this.handler.onClose(error));
  }

  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.keeper.fault(error);
    }
  }
}

/** A stream before it has an owner. */
const NOBODY: StreamHandler = {
  onData() {},
  onWritable() {},
  onEnd() {},
  onClose() {},
};
