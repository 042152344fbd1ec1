import { allocBytes, copyBytes } from "../core/bytes.ts";
import { FieldId } from "../http/field-id.ts";
import type { Fields } from "../http/fields.ts";
import type { Framing } from "../http/head.ts";
import type { Exchange } from "./exchange.ts";
import type { BodyChoice, BodyVerdict } from "./program.ts";

/** Why the delivery of the response is stopped; it flows when no reason is left. */
const UpstreamHookBusy = 1;
const HookBusy = 2;
const ClientFull = 4;

/** Carries a response from the upstream to the client, through the filters where there are some. */
export class ResponseRelay {
  private readonly exchange: Exchange;
  private holds = 0;
  private filtered = false;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  begin(): void {
    this.holds = 0;
    this.filtered = false;
  }

  /** The final head has arrived in `exchange.responseHead`. */
  onHead(): void {
    const exchange = this.exchange;
    const program = exchange.program;
    exchange.phase = "upstreamResponseFilter";
    if (program.upstreamResponseFilter !== undefined) {
      const verdict = program.upstreamResponseFilter(exchange, exchange.ctx);
      if (verdict instanceof Promise) {
        this.hold(UpstreamHookBusy);
        exchange.await("upstreamResponseFilter", verdict, () => {
          this.filterHead();
          this.release(UpstreamHookBusy);
        });
        return;
      }
    }
    this.filterHead();
  }

  private filterHead(): void {
    const exchange = this.exchange;
    if (exchange.answered) return exchange.answer();
    const program = exchange.program;
    exchange.phase = "responseFilter";
    if (program.responseFilter !== undefined) {
      const verdict = program.responseFilter(exchange, exchange.ctx);
      if (verdict instanceof Promise) {
        this.hold(HookBusy);
        exchange.await("responseFilter", verdict, (choice) => {
          this.sendHead(choice);
          this.release(HookBusy);
        });
        return;
      }
      this.sendHead(verdict);
      return;
    }
    this.sendHead("continue");
  }

  private sendHead(choice: BodyChoice): void {
    const exchange = this.exchange;
    if (exchange.answered) return exchange.answer();
    const head = exchange.responseHead;
    if (head.framing === "tunnel") {
      exchange.startTunnel();
      return;
    }
    const program = exchange.program;
    this.filtered =
      head.framing !== "none" &&
      choice !== "pass-body" &&
      (program.responseBodyFilter !== undefined ||
        program.upstreamResponseBodyFilter !== undefined);
    head.removeHopByHop(false);
    let framing: Framing = head.framing;
    if (framing !== "none") {
      if (this.filtered || (framing === "length" && head.fields.first(FieldId.contentLength) < 0)) {
        // A hook changes the length, or took its announcement away.
        head.fields.removeId(FieldId.contentLength);
        framing = "chunked";
      }
      // RFC 9112 §6.1: an HTTP/1.0 client understands no transfer coding.
      if (framing !== "length") framing = exchange.request.minor === 0 ? "close" : "chunked";
    }
    exchange.started = true;
    exchange.summary.status = head.status;
    exchange.downstream.sendHead(head, framing, head.contentLength, framing === "close");
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    if (!this.filtered) {
      this.forward(buf, start, end);
      return;
    }
    const piece = allocBytes(end - start);
    copyBytes(buf, start, end, piece, 0);
    this.filter(piece, false, null);
  }

  onEnd(trailers: Fields | null): void {
    if (this.filtered) this.filter(null, true, trailers);
    else this.finish(trailers);
  }

  onDownstreamFull(): void {
    this.hold(ClientFull);
  }

  onDownstreamWritable(): void {
    if ((this.holds & ClientFull) !== 0) this.release(ClientFull);
  }

  /** The upstream's own filter first, then the client's; the latter may take its time. */
  private filter(piece: Uint8Array | null, end: boolean, trailers: Fields | null): void {
    const exchange = this.exchange;
    const program = exchange.program;
    exchange.phase = "upstreamResponseBodyFilter";
    const early = program.upstreamResponseBodyFilter?.(exchange, piece, end, exchange.ctx);
    const input = early === undefined ? piece : early;
    exchange.phase = "responseBodyFilter";
    const verdict = program.responseBodyFilter?.(exchange, input, end, exchange.ctx);
    if (verdict instanceof Promise) {
      this.hold(HookBusy);
      exchange.await("responseBodyFilter", verdict, (value) => {
        this.apply(value, input, end, trailers);
        this.release(HookBusy);
      });
      return;
    }
    this.apply(verdict, input, end, trailers);
  }

  private apply(
    verdict: BodyVerdict,
    input: Uint8Array | null,
    end: boolean,
    trailers: Fields | null,
  ): void {
    const out = verdict === undefined ? input : verdict;
    if (out !== null && out.length > 0) this.forward(out, 0, out.length);
    if (end) this.finish(trailers);
  }

  private forward(buf: Uint8Array, start: number, end: number): void {
    const exchange = this.exchange;
    exchange.summary.responseBytes += end - start;
    if (exchange.downstream.sendData(buf, start, end)) this.hold(ClientFull);
  }

  private finish(trailers: Fields | null): void {
    const exchange = this.exchange;
    const hook = exchange.program.responseTrailerFilter;
    if (trailers !== null && hook !== undefined) {
      exchange.trailers = trailers;
      exchange.phase = "responseTrailerFilter";
      const verdict = exchange.program.responseTrailerFilter?.(exchange, exchange.ctx);
      if (verdict instanceof Promise) {
        exchange.await("responseTrailerFilter", verdict, () => this.complete(trailers));
        return;
      }
    }
    this.complete(trailers);
  }

  private complete(trailers: Fields | null): void {
    this.exchange.downstream.sendEnd(trailers);
    this.exchange.responseComplete();
  }

  private hold(reason: number): void {
    if (this.holds === 0) this.exchange.upstreamSide?.holdResponse();
    this.holds |= reason;
  }

  private release(reason: number): void {
    if (this.holds === 0) return;
    this.holds &= ~reason;
    if (this.holds === 0 && !this.exchange.over) this.exchange.upstreamSide?.releaseResponse();
  }
}
