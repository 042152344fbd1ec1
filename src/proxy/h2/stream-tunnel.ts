import type { SocketAddress } from "../../core/address.ts";
import { type ErrorSource, NetError } from "../../core/errors.ts";
import type { Stream, StreamHandler, Transport, TurnTarget } from "../../core/transport.ts";
import { H2Code } from "../../http/h2/error-code.ts";
import type { StreamReset } from "../../http/h2/owner.ts";
import type { H2Stream } from "../../http/h2/stream.ts";
import { HeldContent } from "./held-content.ts";

/** The connection that carries a tunnel's stream. */
export interface TunnelCarrier {
  readonly transport: Transport;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** The side that it is on, to be blamed for what breaks. */
  readonly source: ErrorSource;
  readonly machine: {
    sendData(stream: H2Stream, buf: Uint8Array, start: number, end: number): boolean;
    sendEnd(stream: H2Stream, trailers: null): void;
    consumed(stream: H2Stream, octets: number): void;
    reset(stream: H2Stream, code: H2Code): void;
  };
  /** Commands were given: have them sent. */
  flushSoon(): void;
}

/**
 * A stream of HTTP/2 that carries bytes (CONNECT, extended CONNECT) as a `Stream`. Its owner on the side
 * of HTTP/2 passes on what it hears; what the reader does not take closes the stream's window.
 */
export class StreamTunnel implements Stream, TurnTarget {
  handler: StreamHandler;
  closed = false;
  private readonly carrier: TunnelCarrier;
  private readonly stream: H2Stream;
  private readonly held = new HeldContent();
  private paused = true;
  private ending = false;
  private peerEnded: boolean;
  private endTold: boolean;
  private due = false;

  /** `ended`: the peer's end was heard already, and is not told again. */
  constructor(carrier: TunnelCarrier, stream: H2Stream, ended: boolean) {
    this.carrier = carrier;
    this.stream = stream;
    this.peerEnded = ended;
    this.endTold = ended;
    this.handler = deaf;
  }

  get local(): SocketAddress {
    return this.carrier.local;
  }

  get remote(): SocketAddress {
    return this.carrier.remote;
  }

  get queued(): number {
    return this.stream.queue?.length ?? 0;
  }

  // ---- what the owner of the stream hears ----------------------------------------------------

  onData(buf: Uint8Array, start: number, end: number): void {
    // Given up, but not by its peer.
    if (this.closed) return this.carrier.machine.consumed(this.stream, end - start);
    if (this.paused || !this.held.empty) {
      this.held.keep(buf, start, end);
      return;
    }
    this.carrier.machine.consumed(this.stream, end - start);
    this.handler.onData(buf, start, end);
  }

  onEnd(): void {
    this.peerEnded = true;
    this.tellEnd();
  }

  onWritable(): void {
    if (!this.closed) this.handler.onWritable();
  }

  onReset({ code, by }: StreamReset): void {
    if (this.closed) return;
    const message =
      by === "connection"
        ? "the HTTP/2 connection of the tunnel is gone"
        : "the tunnel's stream was reset";
    const clean = code === H2Code.noError && by === "peer";
    this.finish(
      clean ? null : new NetError("ECONNRESET", message, { source: this.carrier.source }),
    );
  }

  // ---- Stream --------------------------------------------------------------------------------

  write(buf: Uint8Array, start: number, end: number): boolean {
    if (this.closed) return false;
    if (this.ending) throw new Error("write after end");
    const full = this.carrier.machine.sendData(this.stream, buf, start, end);
    this.carrier.flushSoon();
    return full;
  }

  end(): void {
    if (this.closed || this.ending) return;
    this.ending = true;
    this.carrier.machine.sendEnd(this.stream, null);
    this.carrier.flushSoon();
    this.soon();
  }

  close(): void {
    if (this.closed) return;
    if (!this.ending) this.carrier.machine.sendEnd(this.stream, null);
    this.carrier.flushSoon();
    this.finish(null);
  }

  abort(): void {
    if (this.closed) return;
    this.carrier.machine.reset(this.stream, H2Code.cancel);
    this.carrier.flushSoon();
    this.finish(null);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (!this.held.empty || this.peerEnded) this.soon();
  }

  /** What was held is delivered outside of the reader's calls. */
  private soon(): void {
    if (this.due) return;
    this.due = true;
    this.carrier.transport.atTurnEnd(this);
  }

  onTurnEnd(): void {
    this.due = false;
    if (!this.paused && !this.closed && !this.held.empty) {
      const content = this.held.take();
      this.carrier.machine.consumed(this.stream, content.length);
      this.carrier.flushSoon();
      this.handler.onData(content, 0, content.length);
    }
    this.tellEnd();
  }

  private tellEnd(): void {
    if (this.closed || !this.peerEnded || this.paused || !this.held.empty) return;
    if (!this.endTold) {
      this.endTold = true;
      this.handler.onEnd();
    }
    if (this.ending && !this.closed) this.finish(null);
  }

  private finish(error: NetError | null): void {
    this.closed = true;
    this.held.clear();
    this.handler.onClose(error);
  }
}

/** Until the tunnel stands, nobody listens; a tunnel begins paused. */
const deaf: StreamHandler = { onData() {}, onWritable() {}, onEnd() {}, onClose() {} };
