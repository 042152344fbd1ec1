import type { NetError } from "../../core/errors.ts";
import { after, type Instant, micros, seconds } from "../../core/time.ts";
import type {
  ByteSink,
  Stream,
  StreamHandler,
  Transport,
  TurnTarget,
} from "../../core/transport.ts";
import type { H2Fault } from "../../http/h2/fault.ts";
import type { RequestOwner, ServerOwner } from "../../http/h2/owner.ts";
import { ServerSession } from "../../http/h2/server-session.ts";
import type { H2Stream } from "../../http/h2/stream.ts";
import type { TlsConnection } from "../../tls/engine.ts";
import { ClientConnection } from "../client-connection.ts";
import { Deadline } from "../deadline.ts";
import { closedEarly, cutOff, writeTimeout } from "../h1/client-errors.ts";
import type { ProxyContext, ProxyListener } from "../server.ts";
import { DownstreamStream } from "./downstream-stream.ts";
import type { Http2Settings } from "./settings.ts";

/** After our last frame the client may still be sending: this long, and this much, is thrown away. */
const lingerTime = seconds(5);
const lingerBytes = 16 << 20;

/** What a client sends before it can know of the draining is still served; it says so by PING, mostly. */
const drainGrace = seconds(2);

const now = micros(0);

/** Spare sides of streams that a listener keeps. */
const sparesKept = 1024;

const never = Number.POSITIVE_INFINITY;

/**
 * A client's HTTP/2 connection: its machine takes what the transport brings and makes streams of it,
 * each of which an exchange serves. What the streams write in a turn goes out at its end.
 */
export class DownstreamSession
  extends ClientConnection
  implements StreamHandler, ServerOwner, ByteSink, TurnTarget
{
  readonly source = "downstream";
  readonly machine: ServerSession;
  /** Why the connection is lost, for the requests that it takes along; null while it stands. */
  lost: NetError | null = null;
  private readonly http2: Http2Settings;
  private readonly deadline: Deadline;
  private requests = 0;
  /** Commands on the machine need no flush of their own: one follows at the end of its work. */
  private working = false;
  private flushDue = false;
  /** The client ended its direction, and waits for what is under way. */
  private clientEnded = false;
  /** The last byte is written: what still comes is thrown away. */
  private lingering = false;
  private discarded = 0;
  private draining = false;

  /** When something was last heard of the client, and when the last stream ended. */
  private heardAt: Instant;
  private quietAt: Instant;
  /** The transport took more than its high-water mark: when to look at its queue, and how long it was. */
  private lookAt = never;
  private lastQueued = 0;
  private lingerUntil = never;

  constructor(
    context: ProxyContext,
    listener: ProxyListener,
    stream: Stream,
    tls: TlsConnection | null,
    http2: Http2Settings,
  ) {
    super(context, listener, stream, tls);
    this.http2 = http2;
    const clock = context.transport;
    this.machine = new ServerSession({ sink: this, clock, limits: listener.h2Limits }, this);
    this.heardAt = clock.now();
    this.quietAt = this.heardAt;
    this.deadline = new Deadline(this, clock);
    this.watch();
  }

  get transport(): Transport {
    return this.context.transport;
  }

  // ---- what the stream tells ---------------------------------------------------------------------

  onData(buf: Uint8Array, start: number, end: number): void {
    if (this.lingering) {
      this.discarded += end - start;
      if (this.discarded > lingerBytes) this.stream.abort();
      return;
    }
    this.heardAt = this.context.transport.now();
    this.working = true;
    this.machine.receive(buf, start, end);
    this.worked();
  }

  onWritable(): void {
    this.lookAt = never;
    this.working = true;
    this.machine.onWritable();
    this.worked();
  }

  onEnd(): void {
    this.clientEnded = true;
    if (this.lingering) {
      this.stream.end();
      return;
    }
    if (this.settings.halfClose === "serve" && this.machine.openStreams > 0) return;
    this.give(closedEarly(null));
    this.finish();
  }

  onClose(error: NetError | null): void {
    this.deadline.dispose();
    this.give(closedEarly(error));
    this.listener.closed(this);
  }

  /** The machine's bytes, on their way to the transport. */
  write(buf: Uint8Array, start: number, end: number): boolean {
    const { stream } = this;
    if (stream.closed || this.lingering) return false;
    if (!stream.write(buf, start, end)) return false;
    this.lastQueued = stream.queued;
    this.lookAt = after(this.context.transport.now(), this.settings.timeouts.write);
    return true;
  }

  // ---- what the machine tells --------------------------------------------------------------------

  onRequest(stream: H2Stream): RequestOwner {
    const { context, listener } = this;
    const exchange = context.exchange();
    const side = listener.spareStreams.pop() ?? new DownstreamStream(this);
    side.begin(this, stream, exchange);
    exchange.begin(side, listener.program, context.transport.now());
    context.observer.http2StreamOpened(this.settings.name);
    if (++this.requests >= this.settings.limits.requestsPerConnection) this.drainSoon();
    return side;
  }

  onFailure(fault: H2Fault): void {
    this.faultSeen(fault);
    this.finish();
  }

  onQuiet(): void {
    this.quietAt = this.context.transport.now();
    if (this.machine.finished || this.clientEnded) this.finish();
  }

  // ---- for its streams ---------------------------------------------------------------------------

  /** Has what was commanded sent at the end of the turn. */
  flushSoon(): void {
    if (this.working || this.flushDue) return;
    this.flushDue = true;
    this.context.transport.atTurnEnd(this);
  }

  onTurnEnd(): void {
    this.flushDue = false;
    if (this.stream.closed) return;
    this.working = true;
    this.machine.flush();
    this.worked();
  }

  faultSeen(fault: H2Fault): void {
    this.context.observer.http2Fault(this.settings.name, fault.reason);
  }

  streamResetSeen(): void {
    this.context.observer.http2StreamReset(this.settings.name);
  }

  /** The stream's side may serve another. */
  release(side: DownstreamStream): void {
    const { spareStreams } = this.listener;
    if (spareStreams.length < sparesKept) spareStreams.push(side);
  }

  // ---- the end -----------------------------------------------------------------------------------

  /** Draining: GOAWAY, and the end with the last stream. */
  drain(): void {
    this.quietAt = this.context.transport.now();
    this.drainSoon();
  }

  private drainSoon(): void {
    if (this.draining) return;
    this.draining = true;
    this.machine.drain();
    this.flushSoon();
  }

  abort(): void {
    this.give(cutOff());
    this.stream.abort();
  }

  /** Whatever is under way ends with `error`. */
  private give(error: NetError): void {
    this.lost ??= error;
    this.working = true;
    this.machine.close();
    this.working = false;
  }

  /** The last frame is written. The rest is read and thrown away, so that the client gets it all. */
  private finish(): void {
    if (this.lingering || this.stream.closed) return;
    this.lingering = true;
    this.lingerUntil = after(this.context.transport.now(), lingerTime);
    if (this.clientEnded) this.stream.close();
    else this.stream.end();
  }

  // ---- deadlines ---------------------------------------------------------------------------------

  private worked(): void {
    this.working = false;
    if (!this.stream.closed) this.watch();
  }

  private watch(): void {
    const at = Math.min(this.dueAt(), this.lookAt, this.machine.nextTimeout());
    if (at === never) this.deadline.clear();
    else this.deadline.set(at as Instant, now);
  }

  /** When the client has been silent for too long, by what is under way. */
  private dueAt(): number {
    if (this.lingering) return this.lingerUntil;
    if (this.machine.openStreams > 0) {
      const { keepAlive } = this.http2;
      return keepAlive === null ? never : after(this.heardAt, keepAlive);
    }
    const idle = this.context.draining || this.draining ? drainGrace : this.settings.timeouts.idle;
    return after(this.quietAt, idle);
  }

  onDeadline(now: Instant): void {
    this.working = true;
    if (this.machine.nextTimeout() <= now) this.machine.handleTimeout();
    if (this.lookAt <= now) this.lookAtQueue(now);
    if (this.dueAt() <= now) this.silent(now);
    this.machine.flush();
    this.worked();
  }

  /** A slow client may be slow as long as it takes something of what is queued. */
  private lookAtQueue(now: Instant): void {
    const { queued } = this.stream;
    if (queued >= this.lastQueued) {
      this.give(writeTimeout());
      this.stream.abort();
      return;
    }
    this.lastQueued = queued;
    this.lookAt = after(now, this.settings.timeouts.write);
  }

  private silent(now: Instant): void {
    if (this.stream.closed) return;
    if (this.lingering) {
      this.stream.abort();
    } else if (this.machine.openStreams > 0) {
      this.heardAt = now;
      this.machine.ping();
    } else if (this.draining) {
      this.give(cutOff());
      this.finish();
    } else {
      this.quietAt = now;
      this.drainSoon();
    }
  }
}
