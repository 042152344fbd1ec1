import { allocBytes, copyBytes } from "../core/bytes.ts";
import { NetError } from "../core/errors.ts";
import type { Fields } from "../http/fields.ts";
import type { Framing } from "../http/head.ts";
import type { Exchange } from "./exchange.ts";
import type { BodyVerdict } from "./program.ts";
import type { Upstream } from "./sides.ts";

/** Why the delivery of the request's body is stopped; it flows when no reason is left. */
const NotReady = 1;
const UpstreamFull = 2;
const FilterBusy = 4;

/** Carries a request's body from the client to the upstream, through the filter where there is one. */
export class RequestRelay {
  private readonly exchange: Exchange;
  private upstream: Upstream | null = null;
  private holds = NotReady;
  private filtered = false;
  private trailers: Fields | null = null;

  /** The client sent its last byte. */
  received = false;
  /** Of this request, something went to the upstream of this attempt. */
  sent = false;

  /** Body bytes as sent, for another attempt; limited by the upstream's `keepBody`. */
  private kept: Uint8Array | null = null;
  private keptLength = 0;
  private keepLimit = 0;
  /** The body went through its filter to the end: only `kept` can be sent again. */
  private ended = false;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  begin(): void {
    this.upstream = null;
    this.holds = NotReady;
    this.filtered = false;
    this.trailers = null;
    this.received = false;
    this.sent = false;
    this.kept = null;
    this.keptLength = 0;
    this.keepLimit = 0;
    this.ended = false;
  }

  /** Lets go of what was kept of the body. */
  forget(): void {
    this.kept = null;
    this.trailers = null;
  }

  /** Whether all that went out can go out again. */
  get replayable(): boolean {
    return this.keptLength >= 0;
  }

  /** Sends the head to a connection that is ready, what was kept of the body, then lets it flow. */
  start(
    upstream: Upstream,
    framing: Framing,
    length: number,
    filtered: boolean,
    keep: number,
  ): void {
    if (!this.replayable) {
      throw new NetError("PREMATURE_CLOSE", "the body outgrew what is kept for another try", {
        source: "upstream",
      });
    }
    this.upstream = upstream;
    this.filtered = filtered;
    this.keepLimit = keep;
    this.sent = true;
    upstream.sendHead(this.exchange.upstreamRequest, framing, length);
    if (this.kept !== null && this.keptLength > 0) {
      upstream.sendData(this.kept, 0, this.keptLength);
    }
    this.holds &= ~UpstreamFull;
    if (this.ended || (this.received && framing === "none")) upstream.sendEnd(this.trailers);
    else if (framing !== "none") this.release(NotReady);
  }

  /** The attempt failed or is over: no more goes to its upstream. */
  stop(): void {
    this.upstream = null;
    this.sent = false;
    this.hold(NotReady);
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    const { bridge } = this.exchange;
    if (bridge === null) return this.take(buf, start, end);
    const bridged = bridge.requestData(buf, start, end);
    if (bridged !== null && bridged.length > 0) this.take(bridged, 0, bridged.length);
  }

  private take(buf: Uint8Array, start: number, end: number): void {
    if (!this.filtered) {
      this.forward(buf, start, end);
      return;
    }
    const piece = allocBytes(end - start);
    copyBytes(buf, start, end, piece, 0);
    this.filter(piece, false);
  }

  /** The end of a request without a body, for the bridge to make one of it. */
  finishBridged(): void {
    if (!this.ended) this.onEnd(null);
  }

  onEnd(trailers: Fields | null): void {
    this.received = true;
    this.trailers = trailers;
    // Bodiless requests are sent whole by `start`.
    if (this.upstream === null) return;
    const { bridge } = this.exchange;
    if (bridge !== null) {
      this.trailers = null;
      const last = bridge.requestEnd();
      if (last !== null && last.length > 0) this.take(last, 0, last.length);
    }
    if (this.filtered) this.filter(null, true);
    else this.finish();
  }

  onUpstreamWritable(): void {
    if ((this.holds & UpstreamFull) !== 0) this.release(UpstreamFull);
  }

  private filter(piece: Uint8Array | null, end: boolean): void {
    const exchange = this.exchange;
    const verdict = exchange.program.requestBodyFilter?.(exchange, piece, end, exchange.ctx);
    if (verdict instanceof Promise) {
      this.hold(FilterBusy);
      exchange.await("requestBodyFilter", verdict, (value) => {
        this.apply(value, piece, end);
        this.release(FilterBusy);
      });
      return;
    }
    this.apply(verdict, piece, end);
  }

  private apply(verdict: BodyVerdict, piece: Uint8Array | null, end: boolean): void {
    if (this.exchange.answered) return this.exchange.answer();
    const out = verdict === undefined ? piece : verdict;
    if (out !== null && out.length > 0) this.forward(out, 0, out.length);
    if (end) this.finish();
  }

  private forward(buf: Uint8Array, start: number, end: number): void {
    this.keep(buf, start, end);
    if (this.upstream?.sendData(buf, start, end)) this.hold(UpstreamFull);
  }

  private finish(): void {
    this.ended = true;
    this.upstream?.sendEnd(this.trailers);
  }

  private keep(buf: Uint8Array, start: number, end: number): void {
    if (this.keptLength < 0) return;
    const length = this.keptLength + end - start;
    if (length > this.keepLimit) {
      this.kept = null;
      this.keptLength = -1;
      return;
    }
    if (this.kept === null || this.kept.length < length) {
      const larger = allocBytes(Math.min(this.keepLimit, Math.max(4096, 2 * length)));
      if (this.kept !== null) copyBytes(this.kept, 0, this.keptLength, larger, 0);
      this.kept = larger;
    }
    copyBytes(buf, start, end, this.kept, this.keptLength);
    this.keptLength = length;
  }

  private hold(reason: number): void {
    if (this.holds === 0) this.exchange.downstream.holdRequest();
    this.holds |= reason;
  }

  private release(reason: number): void {
    if (this.holds === 0) return;
    this.holds &= ~reason;
    if (this.holds === 0 && !this.exchange.over) this.exchange.downstream.releaseRequest();
  }
}
