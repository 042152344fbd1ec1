import type { NetError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";
import { Fields } from "../../http/fields.ts";
import { H2Code } from "../../http/h2/error-code.ts";
import type { ResponseOwner, StreamReset } from "../../http/h2/owner.ts";
import type { H2Stream } from "../../http/h2/stream.ts";
import type { Framing, RequestHead, ResponseHead } from "../../http/head.ts";
import type { TlsConnection } from "../../tls/engine.ts";
import { Deadline } from "../deadline.ts";
import type { Exchange } from "../exchange.ts";
import type { UpstreamTimeouts } from "../settings.ts";
import type { DetachedStream, Upstream } from "../sides.ts";
import { expectsTunnel } from "../switching.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import { stalled, unexpectedSwitch } from "../upstream-errors.ts";
import { answerUpgrade, takeKey } from "./extended-connect.ts";
import { framingOut } from "./framing-out.ts";
import { HeldContent } from "./held-content.ts";
import { StreamTunnel } from "./stream-tunnel.ts";
import { noStream, resetError } from "./upstream-faults.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/**
 * A request's place on an HTTP/2 connection to an endpoint, and from `sendHead` on its stream. What
 * arrives while the exchange is not ready for it is held, and the stream's window stays shut by as much.
 * Its session uses it again for other requests: `begin` makes it fresh.
 */
export class UpstreamStream implements ResponseOwner, Upstream {
  readonly protocol = "h2";
  readonly established = true;
  reused = false;
  responded = false;
  /** Where it stands among those that have no stream yet; -1 elsewhere. */
  place = -1;
  private readonly session: UpstreamSession;
  private timeouts!: UpstreamTimeouts;
  private stream: H2Stream | null = null;
  /** Null once it let go, or was let go. */
  private exchange: Exchange | null = null;
  private tunnel: StreamTunnel | null = null;
  private readonly held = new HeldContent();
  private readonly deadline: Deadline;
  private wait: "first-byte" | "between-bytes" = "first-byte";
  private trailers: Fields | null = null;
  private hasTrailers = false;
  private holding = false;
  private delivering = false;
  private requestSent = false;
  /** Of the request, octets that waited for the server at the last look. */
  private unsent = 0;
  private sendBlocked = false;
  /** The final response's head came. */
  private answered = false;
  /** Of a WebSocket, the key to be answered. */
  private key: string | null = null;
  /** All of the response has come … */
  private ended = false;
  /** … and the exchange knows. */
  private endTold = false;

  constructor(session: UpstreamSession) {
    this.session = session;
    this.deadline = new Deadline(this, session.transport);
  }

  get tls(): TlsConnection | null {
    return this.session.tls;
  }

  begin(exchange: Exchange, timeouts: UpstreamTimeouts, reused: boolean): void {
    this.exchange = exchange;
    this.timeouts = timeouts;
    this.reused = reused;
    this.responded = false;
    this.stream = null;
    this.tunnel = null;
    this.hasTrailers = false;
    this.holding = false;
    this.delivering = false;
    this.requestSent = false;
    this.unsent = 0;
    this.sendBlocked = false;
    this.answered = false;
    this.ended = false;
    this.endTold = false;
  }

  get upgrades(): boolean {
    return this.session.machine.extendedConnect;
  }

  get endpoint(): Endpoint {
    return this.session.endpoint;
  }

  // ---- the request out ---------------------------------------------------------------------------

  sendHead(head: RequestHead, framing: Framing, contentLength: number): void {
    const { session } = this;
    const stream = session.openFor(this);
    if (stream === null) return;
    this.stream = stream;
    this.key = head.upgrade ? takeKey(head) : null;
    const out = framingOut(head.fields, framing);
    session.machine.sendRequest(stream, head, session.scheme, out, contentLength);
    session.flushSoon();
  }

  sendData(buf: Uint8Array, start: number, end: number): boolean {
    const { session, stream } = this;
    if (stream === null) return false;
    const full = session.machine.sendData(stream, buf, start, end);
    session.flushSoon();
    this.sendBlocked = full;
    this.watch();
    return full;
  }

  sendEnd(trailers: Fields | null): void {
    const { session, stream } = this;
    if (stream === null) return;
    this.requestSent = true;
    // Of CONNECT, what follows is not the request's any more: it waits for the tunnel.
    if (stream.connect === "none") {
      session.machine.sendEnd(stream, trailers);
      session.flushSoon();
    }
    this.watch();
  }

  onWritable(): void {
    if (this.tunnel !== null) return this.tunnel.onWritable();
    this.sendBlocked = false;
    this.watch();
    this.exchange?.onUpstreamWritable();
  }

  // ---- deadlines ---------------------------------------------------------------------------------

  /** Sets the deadline for what the server owes next; nothing while the client is what is waited for. */
  private watch(): void {
    if (this.exchange === null || this.ended || this.tunnel !== null) return;
    if (this.holding && !this.sendBlocked) this.deadline.clear();
    else if (this.sendBlocked || this.answered) {
      this.wait = "between-bytes";
      this.unsent = this.queued;
      this.deadline.set(this.session.transport.now(), this.timeouts.betweenBytes);
    } else if (this.requestSent) {
      this.wait = "first-byte";
      this.unsent = this.queued;
      this.deadline.set(this.session.transport.now(), this.timeouts.firstByte);
    } else this.deadline.clear();
  }

  private get queued(): number {
    return this.stream?.queue?.length ?? 0;
  }

  onDeadline(_now: Instant): void {
    if (this.exchange === null) return this.reset(H2Code.cancel);
    // Slow, but it takes something of the request, or has just taken the last of it: that is enough.
    if (this.unsent > 0 && this.queued < this.unsent) return this.watch();
    this.fail(stalled(this.wait));
  }

  // ---- the response in ---------------------------------------------------------------------------

  /** Filled by the session's machine before each `onHead`. */
  get responseHead(): ResponseHead {
    return this.exchange!.responseHead;
  }

  onHead(ended: boolean): void {
    const exchange = this.exchange!;
    const { framing, status } = exchange.responseHead;
    this.responded = true;
    if (status < 200 && status !== 101) {
      // What is only for information is not kept for a client that takes nothing.
      if (!this.holding) exchange.onInformational();
      return this.watch();
    }
    this.answered = true;
    this.ended = ended;
    if (framing === "tunnel" && !expectsTunnel(exchange)) return this.fail(unexpectedSwitch());
    if (status === 101) answerUpgrade(exchange.responseHead, exchange.outgoing, this.key);
    if (ended) this.deadline.clear();
    else this.watch();
    this.delivering = true;
    exchange.onResponseHead();
    this.delivering = false;
    this.deliver();
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    const { exchange, tunnel } = this;
    if (tunnel !== null) return tunnel.onData(buf, start, end);
    if (exchange === null) return this.consumed(end - start);
    if (this.holding || this.delivering || !this.held.empty) {
      this.held.keep(buf, start, end);
      return;
    }
    this.consumed(end - start);
    exchange.onResponseData(buf, start, end);
    this.watch();
  }

  onEnd(trailers: Fields | null): void {
    this.ended = true;
    if (this.tunnel !== null) return this.tunnel.onEnd();
    this.deadline.clear();
    if (trailers !== null) {
      this.trailers ??= new Fields();
      this.trailers.copyFrom(trailers);
      this.hasTrailers = true;
    }
    this.deliver();
  }

  onReset(reset: StreamReset): void {
    const { exchange, session, tunnel } = this;
    if (tunnel !== null) return tunnel.onReset(reset);
    if (this.ended) {
      // RFC 9113 §8.1: the server has no use for the rest of the request; its response stands.
      if (this.sendBlocked) this.onWritable();
      return;
    }
    if (this.whole(reset)) return this.onEnd(null);
    this.letGo();
    exchange?.onUpstreamError(resetError(reset, this.responded, session.lost));
  }

  /** Nothing but its end is missing, which some servers leave out where the window was just used up. */
  private whole({ by, code }: StreamReset): boolean {
    return (
      by === "peer" && code === H2Code.noError && this.answered && this.stream?.receiveLeft === 0
    );
  }

  /** The connection is gone before the request had its stream. */
  lost(): void {
    const { exchange, session } = this;
    this.letGo();
    exchange?.onUpstreamError(noStream(session.lost));
  }

  private fail(error: NetError): void {
    const { exchange } = this;
    this.reset(H2Code.cancel);
    this.letGo();
    exchange?.onUpstreamError(error);
  }

  holdResponse(): void {
    this.holding = true;
    this.watch();
  }

  releaseResponse(): void {
    this.holding = false;
    this.deliver();
    this.watch();
  }

  /** Hands the exchange what was held, and the end behind it, as far as it takes it. */
  private deliver(): void {
    if (this.delivering || !this.answered) return;
    this.delivering = true;
    while (!this.holding && !this.held.empty && this.exchange !== null) {
      const content = this.held.take();
      this.consumed(content.length);
      this.exchange.onResponseData(content, 0, content.length);
    }
    this.delivering = false;
    if (this.holding || !this.ended || this.endTold || !this.held.empty) return;
    this.endTold = true;
    this.exchange?.onResponseEnd(this.hasTrailers ? this.trailers : null);
  }

  private consumed(octets: number): void {
    const { session, stream } = this;
    if (stream === null) return;
    session.machine.consumed(stream, octets);
    session.flushSoon();
  }

  // ---- ends --------------------------------------------------------------------------------------

  release(): void {
    // What a tunnel has still to send may leave; a request that was answered early is not sent to its end.
    if (this.tunnel !== null && this.queued > 0) {
      this.letGo();
      this.deadline.set(this.session.transport.now(), this.timeouts.betweenBytes);
    } else this.cancel();
  }

  cancel(): void {
    this.reset(H2Code.cancel);
    this.letGo();
  }

  private reset(code: H2Code): void {
    const { session, stream } = this;
    if (stream === null || stream.closed) return;
    session.machine.reset(stream, code);
    session.flushSoon();
  }

  private letGo(): void {
    if (this.exchange === null && this.tunnel === null) return;
    this.exchange = null;
    this.deadline.clear();
    this.held.clear();
    this.session.release(this, this.tunnel === null);
    this.tunnel = null;
  }

  detach(): DetachedStream {
    this.deadline.clear();
    const { ended, held, session } = this;
    const tunnel = new StreamTunnel(session, this.stream!, ended);
    this.tunnel = tunnel;
    const rest = held.empty ? null : held.take();
    if (rest !== null) this.consumed(rest.length);
    return { stream: tunnel, rest, ended };
  }
}
