import type { SocketAddress } from "../../core/address.ts";
import { type Instant, seconds } from "../../core/time.ts";
import { Fields } from "../../http/fields.ts";
import { H2Code } from "../../http/h2/error-code.ts";
import type { H2Fault } from "../../http/h2/fault.ts";
import type { RequestOwner, StreamReset } from "../../http/h2/owner.ts";
import type { H2Stream } from "../../http/h2/stream.ts";
import type { Framing, RequestHead, ResponseHead } from "../../http/head.ts";
import type { TlsConnection } from "../../tls/engine.ts";
import { Deadline } from "../deadline.ts";
import type { Exchange } from "../exchange.ts";
import type { Forwarding } from "../forwarding.ts";
import { bodyTimeout } from "../h1/client-errors.ts";
import type { ListenerSettings } from "../settings.ts";
import type { DetachedStream, Downstream } from "../sides.ts";
import { faultError, resetError } from "./client-faults.ts";
import type { DownstreamSession } from "./downstream-session.ts";
import { framingOut } from "./framing-out.ts";
import { HeldContent } from "./held-content.ts";
import { StreamTunnel } from "./stream-tunnel.ts";

/** How long a client may take to end a stream of which the tunnel is over. */
const tunnelLinger = seconds(1);

/**
 * A client's stream of HTTP/2: one request and its response. What arrives while the exchange is not
 * ready for it is held, and the stream's window stays shut by as much. Pooled: `begin` makes one fresh.
 */
export class DownstreamStream implements RequestOwner, Downstream {
  readonly protocol = "h2";
  private session: DownstreamSession;
  private stream!: H2Stream;
  /** Null before the request, and once the exchange let go. */
  private exchange: Exchange | null = null;
  private tunnel: StreamTunnel | null = null;
  private readonly held = new HeldContent();
  private readonly deadline: Deadline;
  private trailers: Fields | null = null;
  private hasTrailers = false;
  /** The request's body waits until the exchange is ready for it. */
  private holding = false;
  private delivering = false;
  /** All of the request has come … */
  private ended = false;
  /** … and the exchange knows. */
  private endTold = false;
  private faultCode: H2Code = H2Code.noError;

  constructor(session: DownstreamSession) {
    this.session = session;
    this.deadline = new Deadline(this, session.transport);
  }

  begin(session: DownstreamSession, stream: H2Stream, exchange: Exchange): void {
    this.session = session;
    this.stream = stream;
    this.exchange = exchange;
    this.tunnel = null;
    this.hasTrailers = false;
    this.holding = false;
    this.delivering = false;
    this.ended = false;
    this.endTold = false;
    this.faultCode = H2Code.noError;
  }

  get settings(): ListenerSettings {
    return this.session.settings;
  }

  get forwarding(): Forwarding {
    return this.session.forwarding;
  }

  get remote(): SocketAddress {
    return this.session.remote;
  }

  get local(): SocketAddress {
    return this.session.local;
  }

  get clientAddress(): string {
    return this.session.clientAddress;
  }

  get scheme(): "http" | "https" {
    return this.session.scheme;
  }

  get tls(): TlsConnection | null {
    return this.session.tls;
  }

  // ---- requests in -------------------------------------------------------------------------------

  /** Filled by the session's machine between `begin` and `onHead`. */
  get request(): RequestHead {
    return this.exchange!.request;
  }

  onHead(ended: boolean): void {
    const exchange = this.exchange!;
    this.ended = ended;
    if (exchange.request.framing === "none") {
      // Of CONNECT, what follows is not the request's any more: it waits for the tunnel.
      this.endTold = true;
      exchange.requests.received = true;
    }
    this.holding = true;
    exchange.start();
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    const { exchange, tunnel } = this;
    if (tunnel !== null) return tunnel.onData(buf, start, end);
    if (exchange === null) return this.consumed(end - start);
    if (this.holding || !this.held.empty) {
      this.held.keep(buf, start, end);
      return;
    }
    this.consumed(end - start);
    exchange.onRequestData(buf, start, end);
    this.watchBody();
  }

  onEnd(trailers: Fields | null): void {
    this.ended = true;
    this.deadline.clear();
    if (this.tunnel !== null) return this.tunnel.onEnd();
    if (this.exchange === null) return;
    if (trailers !== null) {
      this.trailers ??= new Fields();
      this.trailers.copyFrom(trailers);
      this.hasTrailers = true;
    }
    this.deliver();
  }

  onMalformed(fault: H2Fault): void {
    const { exchange, session } = this;
    this.faultCode = fault.code;
    this.holding = true;
    this.deadline.clear();
    session.faultSeen(fault);
    exchange?.fail(faultError(fault));
  }

  onReset(reset: StreamReset): void {
    const { exchange, session, tunnel } = this;
    this.exchange = null;
    this.deadline.clear();
    if (reset.by === "peer") session.streamResetSeen();
    else if (reset.by === "fault" && reset.fault !== null) session.faultSeen(reset.fault);
    if (tunnel !== null) tunnel.onReset(reset);
    else exchange?.onClientGone(resetError(reset, session.lost));
  }

  onDeadline(_now: Instant): void {
    const { exchange } = this;
    if (exchange === null) return this.endTunnel();
    this.holding = true;
    exchange.fail(bodyTimeout());
  }

  /** RFC 9113 §8.1: all was said, and nothing more is wanted; half open it would count for ever. */
  private endTunnel(): void {
    const { session, stream } = this;
    if (stream.closed) return;
    session.machine.reset(stream, H2Code.noError);
    session.flushSoon();
  }

  holdRequest(): void {
    this.holding = true;
    this.deadline.clear();
  }

  releaseRequest(): void {
    this.holding = false;
    this.deliver();
    this.watchBody();
  }

  /** Hands the exchange what was held, and the end behind it, as far as it takes it. */
  private deliver(): void {
    if (this.delivering) return;
    this.delivering = true;
    while (!this.holding && !this.held.empty && this.exchange !== null) {
      const content = this.held.take();
      this.consumed(content.length);
      this.exchange.onRequestData(content, 0, content.length);
    }
    this.delivering = false;
    if (this.holding || !this.ended || this.endTold || !this.held.empty) return;
    this.endTold = true;
    this.exchange?.onRequestEnd(this.hasTrailers ? this.trailers : null);
  }

  /** While the body flows, each piece must follow the last in time. */
  private watchBody(): void {
    if (this.exchange === null || this.ended || this.holding || this.endTold) return;
    const { session } = this;
    this.deadline.set(session.transport.now(), session.settings.timeouts.body);
  }

  private consumed(octets: number): void {
    const { session } = this;
    session.machine.consumed(this.stream, octets);
    session.flushSoon();
  }

  // ---- responses out -----------------------------------------------------------------------------

  onWritable(): void {
    if (this.tunnel !== null) this.tunnel.onWritable();
    else this.exchange?.onDownstreamWritable();
  }

  sendInformational(head: ResponseHead): boolean {
    const { session } = this;
    session.machine.sendInformational(this.stream, head);
    session.flushSoon();
    return false;
  }

  sendHead(head: ResponseHead, framing: Framing, contentLength: number): void {
    const { session } = this;
    const out = framingOut(head.fields, framing);
    session.machine.sendHead(this.stream, head, out, contentLength);
    session.flushSoon();
  }

  sendData(buf: Uint8Array, start: number, end: number): boolean {
    const { session } = this;
    session.flushSoon();
    return session.machine.sendData(this.stream, buf, start, end);
  }

  sendEnd(trailers: Fields | null): void {
    const { session } = this;
    session.machine.sendEnd(this.stream, trailers);
    session.flushSoon();
  }

  reset(): void {
    const { session } = this;
    session.machine.reset(this.stream, this.resetCode());
    session.flushSoon();
  }

  /** RFC 9113 §7: whose fault it was that the response cannot be finished. */
  private resetCode(): H2Code {
    if (this.faultCode !== H2Code.noError) return this.faultCode;
    const failure = this.exchange?.summary.failure ?? null;
    return failure?.source === "downstream" ? H2Code.cancel : H2Code.internalError;
  }

  exchangeOver(): void {
    this.exchange = null;
    this.deadline.clear();
    this.drop();
    if (this.tunnel !== null && !this.stream.closed) {
      this.deadline.set(this.session.transport.now(), tunnelLinger);
    }
    // Where the machine still holds it as an owner, it must not serve another.
    if (this.tunnel === null && (this.stream.closed || this.stream.owner === null)) {
      this.session.release(this);
    }
  }

  /** What is held is of no use any more, and must not keep the connection's window shut. */
  private drop(): void {
    if (this.held.empty) return;
    this.consumed(this.held.length);
    this.held.clear();
  }

  detach(): DetachedStream {
    this.deadline.clear();
    const { held, session, stream } = this;
    const tunnel = new StreamTunnel(session, stream, this.ended);
    this.tunnel = tunnel;
    const rest = held.empty ? null : held.take();
    if (rest !== null) this.consumed(rest.length);
    return { stream: tunnel, rest, ended: this.ended };
  }
}
