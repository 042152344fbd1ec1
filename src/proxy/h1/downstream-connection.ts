import type { NetError } from "../../core/errors.ts";
import { type Duration, type Instant, millis, seconds } from "../../core/time.ts";
import type { StreamHandler } from "../../core/transport.ts";
import type { Fields } from "../../http/fields.ts";
import { RequestReceiver } from "../../http/h1/request-receiver.ts";
import type { Framing, ResponseHead } from "../../http/head.ts";
import { ClientConnection } from "../client-connection.ts";
import { Deadline } from "../deadline.ts";
import type { Exchange } from "../exchange.ts";
import { HeldInput } from "../held-input.ts";
import type { DetachedStream, Downstream } from "../sides.ts";
import {
  bodyTimeout,
  closedEarly,
  cutOff,
  endedWithin,
  headTimeout,
  malformed,
  plainOnTls,
  writeTimeout,
} from "./client-errors.ts";
import { ResponseWriter } from "./response-writer.ts";

/** What the deadline stands for at the moment. */
type Wait = "idle" | "head" | "body" | "write" | "linger";

const nothing = new Uint8Array(0);

/** More than is ever queued: the first look at a queue counts as progress. */
const anything = 0x3fff_ffff;

/** What a client sends before it can know of the draining is still served. */
const drainGrace = millis(250);

/**
 * After our last byte the client may still be sending: this long, and this much, is thrown away. A
 * client that writes its whole request before it reads must get that far to see its answer.
 */
const lingerTime = seconds(5);
const lingerBytes = 256 << 20;

/**
 * A client's HTTP/1.1 connection: reads requests one after another, answers them in order, and hands
 * each to an exchange. What arrives while an exchange is not ready for it is held, and the stream
 * paused.
 */
export class DownstreamConnection extends ClientConnection implements StreamHandler, Downstream {
  readonly protocol = "http/1.1";
  private readonly receiver: RequestReceiver;
  private readonly writer: ResponseWriter;
  private readonly deadline: Deadline;
  private readonly held: HeldInput;
  private exchange: Exchange | null = null;
  private wait: Wait = "idle";
  private requests = 0;
  private discarded = 0;
  private lastQueued = 0;

  /** The connection ends with the response under way. */
  private closing = false;
  /** The client said itself that its request is its last: nothing follows on its way to us. */
  private clientCloses = false;
  private lingering = false;
  /** The request's body waits until the exchange is ready for it. */
  private holding = false;
  private processing = false;
  /** The exchange has its request's head. */
  private started = false;
  /** The client's message is complete; what follows is the next one. */
  private requestEnded = false;
  private clientEnded = false;
  /** The stream belongs to a tunnel. */
  private detached = false;

  /** Refuses every request: the client speaks in plain where TLS is spoken. */
  private readonly misdirected: boolean;

  constructor(...of: ConstructorParameters<typeof ClientConnection>) {
    super(...of);
    this.misdirected = this.tls === null && this.listener.securing !== null;
    this.receiver = new RequestReceiver(this.settings.limits);
    this.writer = new ResponseWriter(this.stream);
    this.held = new HeldInput(this.stream);
    this.deadline = new Deadline(this, this.context.transport);
    this.expect("idle", this.settings.timeouts.idle);
  }

  // ---- what the stream tells --------------------------------------------------------------------

  onData(buf: Uint8Array, start: number, end: number): void {
    if (this.lingering) {
      this.discarded += end - start;
      if (this.discarded > lingerBytes) this.stream.abort();
      return;
    }
    this.process(buf, start, end);
  }

  onWritable(): void {
    const exchange = this.exchange;
    this.writer.drained();
    if (this.wait === "write") this.deadline.clear();
    if (exchange !== null) {
      exchange.onDownstreamWritable();
      this.watchBody();
      return;
    }
    if (this.wait === "write") this.expectNext();
    if (this.held.paused) this.pump();
  }

  onEnd(): void {
    this.clientEnded = true;
    const exchange = this.exchange;
    if (exchange === null || this.lingering) {
      this.stream.end();
      return;
    }
    if (!this.requestEnded) this.gone(endedWithin());
    else if (this.settings.halfClose === "abort") this.gone(closedEarly(null));
    else this.closing = true;
  }

  private gone(error: NetError): void {
    const exchange = this.exchange;
    this.exchange = null;
    this.stream.abort();
    exchange?.onClientGone(error);
  }

  onClose(error: NetError | null): void {
    this.deadline.dispose();
    this.held.clear();
    const exchange = this.exchange;
    this.exchange = null;
    exchange?.onClientGone(closedEarly(error));
    this.listener.closed(this);
  }

  onDeadline(_now: Instant): void {
    const exchange = this.exchange;
    switch (this.wait) {
      case "head":
      case "body":
        if (exchange === null) return this.stream.abort();
        return this.refuse(exchange, this.wait === "head" ? headTimeout() : bodyTimeout());
      case "write":
        // Slow, but it takes something.
        if (this.stream.queued < this.lastQueued) return this.expectTaking("write");
        if (exchange === null) return this.stream.abort();
        return this.gone(writeTimeout());
      case "idle":
      case "linger":
        if (this.stream.queued === 0) return this.stream.close();
        if (this.stream.queued < this.lastQueued) return this.expectTaking(this.wait);
        return this.stream.abort();
    }
  }

  /** A slow client may be slow as long as it takes something of what is queued. */
  private expectTaking(wait: Wait): void {
    this.lastQueued = this.stream.queued;
    this.expect(wait, this.settings.timeouts.write);
  }

  /** Between requests: the next may take its time, the taking of the last answers less. */
  private expectNext(): void {
    const { timeouts } = this.settings;
    if (this.writer.full) return this.expectTaking("write");
    this.lastQueued = anything;
    this.expect("idle", this.context.draining ? drainGrace : timeouts.idle);
  }

  private expect(wait: Wait, delay: Duration): void {
    this.wait = wait;
    this.deadline.set(this.context.transport.now(), delay);
  }

  // ---- requests in ------------------------------------------------------------------------------

  private process(buf: Uint8Array, start: number, end: number): void {
    const receiver = this.receiver;
    let pos = start;
    this.processing = true;
    while (!this.lingering && !this.stream.closed) {
      if (this.holding) {
        this.hold(buf, pos, end);
        break;
      }
      let exchange = this.exchange;
      if (exchange === null) {
        if (pos === end) break;
        if (this.writer.full) {
          // A client that takes no answers gets no more of them.
          this.hold(buf, pos, end);
          break;
        }
        exchange = this.begin();
      }
      const event = receiver.receive(buf, pos, end, exchange.request);
      pos = receiver.pos;
      if (event === "head") this.head(exchange);
      else if (event === "data") exchange.onRequestData(buf, receiver.dataStart, receiver.dataEnd);
      else if (event === "end") {
        this.requestEnded = true;
        if (this.wait === "body") this.deadline.clear();
        exchange.onRequestEnd(receiver.trailers);
      } else if (event === "need-data") {
        this.waitForMore(exchange);
        break;
      } else if (event === "paused") {
        // Pipelined: the next request waits until this one is answered.
        if (pos < end) this.hold(buf, pos, end);
        break;
      } else {
        this.refuse(exchange, malformed(receiver.error));
        break;
      }
    }
    this.processing = false;
  }

  private begin(): Exchange {
    const { context } = this;
    const exchange = context.exchange();
    this.exchange = exchange;
    this.started = false;
    this.requestEnded = false;
    exchange.begin(this, this.listener.program, context.transport.now());
    this.deadline.clear();
    return exchange;
  }

  private head(exchange: Exchange): void {
    const head = exchange.request;
    this.started = true;
    this.requests++;
    this.clientCloses = !head.keepAlive;
    this.closing =
      this.clientCloses ||
      this.context.draining ||
      this.clientEnded ||
      this.requests >= this.settings.limits.requestsPerConnection;
    if (this.wait === "head") this.deadline.clear();
    if (this.misdirected) return this.refuse(exchange, plainOnTls());
    if (head.framing === "none") {
      // The end follows at once and takes no input: the exchange starts with a whole request.
      this.receiver.receive(nothing, 0, 0, head);
      this.requestEnded = true;
      exchange.requests.received = true;
    } else this.holding = true;
    exchange.start();
  }

  private waitForMore(exchange: Exchange): void {
    if (this.started) this.watchBody();
    else if (this.receiver.inHead) {
      if (this.wait !== "head" || !this.deadline.pending) {
        this.expect("head", this.settings.timeouts.head);
      }
    } else {
      // RFC 9112 §2.2: just an empty line, and no request yet.
      this.exchange = null;
      exchange.dismiss();
      this.expectNext();
    }
  }

  /** While the body flows, each piece must follow the last in time. */
  private watchBody(): void {
    if (this.exchange === null || this.requestEnded || this.holding) return;
    this.expect("body", this.settings.timeouts.body);
  }

  /** Answers what never became a whole request; the program may take its time, and no more is read. */
  private refuse(exchange: Exchange, error: NetError): void {
    this.closing = true;
    this.holding = true;
    exchange.fail(error);
  }

  private hold(buf: Uint8Array, pos: number, end: number): void {
    this.held.keep(buf, pos, end);
    this.held.pause();
    if (this.wait === "body") this.deadline.clear();
  }

  holdRequest(): void {
    this.holding = true;
    if (this.processing) return;
    this.held.pause();
    if (this.wait === "body") this.deadline.clear();
  }

  releaseRequest(): void {
    this.holding = false;
    if (!this.processing) this.pump();
  }

  /** Takes up what was held, then lets the stream flow. */
  private pump(): void {
    const { held } = this;
    const { bytes, start, end } = held;
    held.take();
    this.process(bytes ?? nothing, start, end);
    held.settle();
    if (held.empty && !this.holding) this.held.resume();
  }

  // ---- responses out ----------------------------------------------------------------------------

  sendInformational(head: ResponseHead): boolean {
    // RFC 9110 §15.2: an HTTP/1.0 client knows no interim responses.
    if (this.exchange?.request.minor !== 1) return false;
    const full = this.writer.informational(head);
    if (full) this.expectTaking("write");
    return full;
  }

  sendHead(head: ResponseHead, framing: Framing, contentLength: number, close: boolean): void {
    if (close || !this.requestEnded || this.context.draining) this.closing = true;
    const silent = framing === "tunnel" || (!this.closing && this.exchange?.request.minor === 1);
    const stays = silent ? "default" : this.closing ? "close" : "keep-alive";
    this.writer.head(head, framing, contentLength, stays);
  }

  sendData(buf: Uint8Array, start: number, end: number): boolean {
    const full = this.writer.data(buf, start, end);
    if (full) this.expectTaking("write");
    return full;
  }

  sendEnd(trailers: Fields | null): void {
    this.writer.end(trailers);
  }

  reset(): void {
    this.exchange = null;
    this.stream.abort();
  }

  exchangeOver(): void {
    this.exchange = null;
    this.holding = false;
    if (this.detached) return this.listener.closed(this);
    if (this.stream.closed) return;
    if (this.closing || !this.requestEnded) return this.finish();
    this.receiver.next();
    this.expectNext();
    if (!this.processing && this.held.paused) this.pump();
  }

  /** The last response went out: where the client has no more to say the socket can go at once. */
  private finish(): void {
    this.lingering = true;
    const taken = this.requestEnded && this.held.empty && !this.held.paused;
    // A client that expects to go on may have sent more already, and would be answered by a reset.
    const silent = taken && (this.clientCloses || this.clientEnded);
    this.held.clear();
    if (silent) {
      // Two system calls and a wake-up less than to wait for the client's FIN.
      this.stream.close();
      if (!this.stream.closed) this.expect("linger", this.settings.timeouts.write);
      return;
    }
    // The rest is read and thrown away so that the client gets the answer, not a reset.
    this.lastQueued = anything;
    this.expect("linger", lingerTime);
    this.stream.end();
    this.held.resume();
  }

  /** Draining: busy connections go with their response, idle ones when nothing more is on its way. */
  drain(): void {
    if (this.exchange !== null) this.closing = true;
    else if (!this.lingering) this.expectNext();
  }

  /** The stream turns out to be of another protocol, before anything came of it here. */
  giveUp(): void {
    this.deadline.dispose();
  }

  abort(): void {
    const tunnel = this.exchange?.tunnel;
    if (tunnel) tunnel.abort();
    else this.gone(cutOff());
  }

  detach(): DetachedStream {
    this.detached = true;
    this.deadline.dispose();
    return { stream: this.stream, rest: this.held.remove(), ended: this.clientEnded };
  }
}
