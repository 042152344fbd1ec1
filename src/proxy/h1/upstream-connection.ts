import type { NetError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";
import type { ConnectHandler, Stream } from "../../core/transport.ts";
import type { Fields } from "../../http/fields.ts";
import { BodyWriter } from "../../http/h1/body-writer.ts";
import { ResponseReceiver } from "../../http/h1/response-receiver.ts";
import type { Framing, RequestHead } from "../../http/head.ts";
import type { TlsConnection } from "../../tls/engine.ts";
import { connectEndpoint, connectError, connectFailed, securityOf } from "../connect.ts";
import { Deadline } from "../deadline.ts";
import type { Exchange } from "../exchange.ts";
import { HeldInput } from "../held-input.ts";
import type { ProxyContext } from "../server.ts";
import type { UpstreamTimeouts } from "../settings.ts";
import type { DetachedStream, Upstream as UpstreamSide } from "../sides.ts";
import { expectsTunnel } from "../switching.ts";
import type { Endpoint, PoolMember } from "../upstream/endpoint.ts";
import type { Upstream } from "../upstream/upstream.ts";
import {
  lostConnection,
  malformed,
  stalled,
  unexpectedSwitch,
  type Wait,
} from "../upstream-errors.ts";

type State = "connecting" | "active" | "idle" | "closing" | "detached" | "closed";

const nothing = new Uint8Array(0);

/** An HTTP/1.1 connection to an endpoint: serves one exchange at a time, rests in its pool between. */
export class UpstreamConnection implements ConnectHandler, PoolMember, UpstreamSide {
  readonly endpoint: Endpoint;
  readonly protocol = "http/1.1";
  readonly upgrades = true;
  idleSince = 0 as Instant;
  established = false;
  reused = false;

  private readonly context: ProxyContext;
  private readonly group: Upstream | null;
  private exchange: Exchange | null;
  private stream!: Stream;
  private timeouts!: UpstreamTimeouts;
  private state: State = "connecting";
  private readonly receiver: ResponseReceiver;
  private readonly writer = new BodyWriter();
  private readonly deadline: Deadline;
  private readonly held = new HeldInput(null);
  private wait: Wait = "first-byte";
  private holding = false;
  private processing = false;
  /** The server said that it keeps the connection. */
  private keepAlive = false;
  /** The final response's head came. */
  private answered = false;
  private requestBegun = false;
  private requestSent = false;
  /** The last piece of the request went over the high-water mark. */
  private sendBlocked = false;
  private responseEnded = false;
  /** Bytes came behind the response that nobody asked for. */
  private surplus = false;
  private peerEnded = false;
  /** Bytes queued when the deadline was set. */
  private lastQueued = 0;
  /** Bytes of a complete request that were still queued at the last look. */
  private unsent = 0;

  constructor(
    context: ProxyContext,
    endpoint: Endpoint,
    group: Upstream | null,
    exchange: Exchange,
  ) {
    this.context = context;
    this.endpoint = endpoint;
    this.group = group;
    this.exchange = exchange;
    this.receiver = new ResponseReceiver(context.responseLimits);
    this.deadline = new Deadline(this, context.transport);
  }

  get tls(): TlsConnection | null {
    return securityOf(this.endpoint, this.stream);
  }

  // ---- life ------------------------------------------------------------------------------------

  open(timeouts: UpstreamTimeouts): void {
    this.timeouts = timeouts;
    this.endpoint.connectionOpening();
    this.stream = connectEndpoint(this.context, this.endpoint, timeouts, "http/1.1", this);
    this.held.attach(this.stream);
  }

  /** Takes over a connection that stands, of which the books know already. */
  adopt(stream: Stream, timeouts: UpstreamTimeouts): void {
    this.timeouts = timeouts;
    this.stream = stream;
    stream.handler = this;
    this.held.attach(stream);
    this.stand();
  }

  private stand(): void {
    this.established = true;
    this.state = "active";
    this.context.observer.upstreamConnected(this.endpoint.upstream);
  }

  onConnect(): void {
    this.stand();
    const exchange = this.exchange;
    if (exchange !== null)
      exchange.guard("connectedToUpstream", () => exchange.attempts.connected(this));
  }

  /** Out of the pool, to serve again. */
  reuse(exchange: Exchange, timeouts: UpstreamTimeouts): void {
    this.exchange = exchange;
    this.timeouts = timeouts;
    this.reused = true;
    this.state = "active";
    this.requestBegun = false;
    this.requestSent = false;
    this.responseEnded = false;
    this.answered = false;
    this.receiver.begin("GET");
  }

  /** The pool closes it: too old, or too many. */
  retire(): void {
    this.close();
  }

  release(): void {
    this.exchange = null;
    this.deadline.clear();
    if (this.state === "detached") return this.settle();
    const reusable =
      this.state === "active" &&
      this.responseEnded &&
      this.requestSent &&
      !this.surplus &&
      !this.peerEnded &&
      this.held.empty &&
      this.keepAlive &&
      !this.endpoint.retired &&
      !this.context.draining;
    if (!reusable) return this.close();
    this.state = "idle";
    this.holding = false;
    this.held.resume();
    this.endpoint.pool.put(this, this.context.transport.now());
    this.group?.released(this.endpoint);
  }

  cancel(): void {
    this.exchange = null;
    if (this.state === "detached") this.settle();
    else this.state = "closing";
    this.stream.abort();
  }

  /** Ends cleanly, without waiting for the server's end. */
  private close(): void {
    if (this.state === "closed" || this.state === "closing") return;
    this.state = "closing";
    this.held.clear();
    this.deadline.clear();
    // A server that has answered and does not read what is left would keep the socket for ever.
    if (this.stream.queued > 0) this.stream.abort();
    else this.stream.close();
  }

  onClose(error: NetError | null): void {
    if (this.state === "idle") this.endpoint.pool.remove(this);
    // A response that is complete is only waiting for a hook: it needs the connection no more.
    const exchange = this.responseEnded ? null : this.exchange;
    if (!this.responseEnded) this.exchange = null;
    this.settle();
    if (exchange !== null) {
      if (!this.established) connectFailed(this.context, this.endpoint, error);
      exchange.onUpstreamError(this.classify(error));
    }
  }

  /** The books are closed, once: the socket is gone, or belongs to a tunnel that is over. */
  private settle(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.deadline.dispose();
    this.held.clear();
    this.endpoint.connectionClosed();
    if (this.established) this.context.observer.upstreamClosed(this.endpoint.upstream);
    this.group?.released(this.endpoint);
  }

  /** What a lost connection means for the request that was on it. */
  private classify(error: NetError | null): NetError {
    if (!this.established) return connectError(error);
    return lostConnection(error, this.receiver.started);
  }

  private fail(error: NetError): void {
    const exchange = this.exchange;
    this.exchange = null;
    this.state = "closing";
    this.stream.abort();
    exchange?.onUpstreamError(error);
  }

  onDeadline(_now: Instant): void {
    if (this.exchange === null) return;
    if (this.stillTaking()) return this.watch();
    this.fail(stalled(this.wait));
  }

  /** Slow, but it takes something of the request: that is enough. */
  private stillTaking(): boolean {
    const { queued } = this.stream;
    if (this.sendBlocked) return queued < this.lastQueued;
    if (this.wait !== "first-byte") return false;
    // What was written last may lie in the queue for long: the answer is due only after it has left.
    const before = this.unsent;
    this.unsent = queued;
    return queued > 0 ? before === 0 || queued < before : before > 0;
  }

  // ---- the request out --------------------------------------------------------------------------

  sendHead(head: RequestHead, framing: Framing, contentLength: number): void {
    this.requestBegun = true;
    this.requestSent = false;
    this.sendBlocked = false;
    this.unsent = 0;
    this.responseEnded = false;
    this.answered = false;
    this.receiver.begin(head.method);
    this.writer.begin(framing, contentLength);
    head.writeTo(this.stream);
  }

  sendData(buf: Uint8Array, start: number, end: number): boolean {
    const full = this.writer.data(this.stream, buf, start, end);
    this.sendBlocked = full;
    this.watch();
    return full;
  }

  sendEnd(trailers: Fields | null): void {
    this.writer.end(this.stream, trailers);
    this.requestSent = true;
    this.watch();
  }

  onWritable(): void {
    const exchange = this.exchange;
    if (exchange === null) return;
    this.sendBlocked = false;
    this.watch();
    exchange.onUpstreamWritable();
  }

  /** Sets the deadline for what the server owes next; nothing while the client is what is waited for. */
  private watch(): void {
    const { timeouts } = this;
    if (this.holding && !this.sendBlocked) this.deadline.clear();
    else if (this.sendBlocked || this.answered || this.receiver.inHead) {
      this.wait = "between-bytes";
      this.lastQueued = this.stream.queued;
      this.deadline.set(this.context.transport.now(), timeouts.betweenBytes);
    } else if (this.requestSent) {
      this.wait = "first-byte";
      this.deadline.set(this.context.transport.now(), timeouts.firstByte);
    } else this.deadline.clear();
  }

  // ---- the response in --------------------------------------------------------------------------

  get responded(): boolean {
    return this.receiver.started;
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    if (this.exchange === null) {
      // Idle: whatever comes unasked makes the connection useless. Closing: nobody reads on.
      if (this.state === "idle") this.drop();
      return;
    }
    if (this.responseEnded) {
      this.surplus = true;
      return;
    }
    const unsent = this.exchange.outgoing.framing === "none" && this.stream.queued > 0;
    // It answers a request that was not made, or has not left: what it says cannot be trusted as ours.
    if (!this.requestBegun || unsent) return this.fail(this.classify(null));
    this.process(buf, start, end);
  }

  private process(buf: Uint8Array, start: number, end: number): void {
    const exchange = this.exchange;
    if (exchange === null) return;
    this.processing = true;
    let pos = start;
    const head = exchange.responseHead;
    const receiver = this.receiver;
    while (this.exchange === exchange) {
      if (this.holding) {
        this.held.keep(buf, pos, end);
        this.held.pause();
        this.watch();
        break;
      }
      const event = receiver.receive(buf, pos, end, head);
      pos = receiver.pos;
      if (event === "data") {
        exchange.onResponseData(buf, receiver.dataStart, receiver.dataEnd);
      } else if (event === "head") {
        if (head.status < 200 && head.status !== 101) exchange.onInformational();
        else {
          this.keepAlive = head.keepAlive;
          this.answered = true;
          if (head.framing === "tunnel") {
            if (!expectsTunnel(exchange)) {
              this.fail(unexpectedSwitch());
              break;
            }
            this.held.keep(buf, pos, end);
            pos = end;
          }
          exchange.onResponseHead();
        }
      } else if (event === "end") {
        this.responseEnded = true;
        this.surplus = pos < end;
        this.deadline.clear();
        exchange.onResponseEnd(receiver.trailers);
        break;
      } else {
        if (event === "error") this.fail(malformed(receiver.error));
        else this.watch();
        break;
      }
    }
    this.processing = false;
  }

  onEnd(): void {
    this.peerEnded = true;
    const exchange = this.exchange;
    if (exchange === null) {
      if (this.state === "idle") this.drop();
      return;
    }
    if (this.responseEnded) return;
    if (this.receiver.eof() === "end") {
      this.responseEnded = true;
      exchange.onResponseEnd(null);
      return;
    }
    this.fail(this.classify(null));
  }

  /** Out of the pool and closed: it is of no use any more. */
  private drop(): void {
    this.endpoint.pool.remove(this);
    this.close();
  }

  holdResponse(): void {
    this.holding = true;
    if (!this.processing) {
      this.held.pause();
      this.watch();
    }
  }

  releaseResponse(): void {
    this.holding = false;
    if (this.processing || this.exchange === null || this.responseEnded) return;
    const { held } = this;
    const { bytes, start, end } = held;
    held.take();
    // Even without bytes: an end may be due, for which no more input comes.
    this.process(bytes ?? nothing, start, end);
    held.settle();
    if (!this.holding && this.exchange !== null) this.held.resume();
  }

  detach(): DetachedStream {
    this.state = "detached";
    this.exchange = null;
    this.deadline.dispose();
    return { stream: this.stream, rest: this.held.remove(), ended: this.peerEnded };
  }
}
