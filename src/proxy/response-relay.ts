import { allocBytes, copyBytes } from "../core/bytes.ts";
import type { NetError } from "../core/errors.ts";
import { FieldId } from "../http/field-id.ts";
import type { Fields } from "../http/fields.ts";
import type { Framing } from "../http/head.ts";
import type { CodingStage, StageOwner, StageRole } from "./compression/coding-stage.ts";
import type { Compression } from "./compression/compression.ts";
import { digestTrailers, isEventStream } from "./compression/response-rules.ts";
import { decodingStage, encodingStage } from "./compression/stages.ts";
import type { Exchange } from "./exchange.ts";
import { feignsTunnel, upgradeIgnored } from "./h2/extended-connect.ts";
import type { BodyChoice, BodyVerdict } from "./program.ts";

const none = allocBytes(0);

/** Why the delivery of the response is stopped; it flows when no reason is left. */
const UpstreamHookBusy = 1;
const HeadHookBusy = 2;
const BodyHookBusy = 4;
const ClientFull = 8;
const EncoderFull = 16;
const DecoderFull = 32;

/** Of these, what a codec's output waits for; all of them hold the upstream. */
const decoderWaits = BodyHookBusy | ClientFull | EncoderFull;
const encoderWaits = ClientFull;

/**
 * Carries a response from the upstream to the client, through the filters and codecs where there are
 * some:
 *
 *     upstreamResponseBodyFilter → decoder → responseBodyFilter → encoder → client
 */
export class ResponseRelay implements StageOwner {
  private readonly exchange: Exchange;
  private holds = 0;
  private filtered = false;
  private decoder: CodingStage | null = null;
  private encoder: CodingStage | null = null;
  private decoding: ReturnType<Compression["decoding"]> = null;
  private framing: Framing = "none";
  /** The head waits for the first of what is decoded: what cannot be decoded is answered with 502. */
  private headDue = false;
  /** While the body's end is on its way through codecs. */
  private trailers: Fields | null = null;
  /** How bodies are coded, as the program said for this attempt. */
  compression: Compression | null = null;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  begin(): void {
    this.holds = 0;
    this.filtered = false;
    this.decoding = null;
    this.headDue = false;
    this.trailers = null;
    this.compression = null;
  }

  /** Nothing of this response is wanted any more, or all of it is through: the codecs go. */
  stop(): void {
    if (this.decoder !== null) this.retire(this.decoder);
    if (this.encoder !== null) this.retire(this.encoder);
    this.decoder = null;
    this.encoder = null;
    this.headDue = false;
  }

  private retire(stage: CodingStage): void {
    const { context, listener } = this.exchange;
    stage.destroy();
    if (stage.role === "encode") this.compression?.encoderGone();
    context.observer.bodyCoded(listener, stage.role, stage.coding, stage.bytesIn, stage.bytesOut);
  }

  /** The final head has arrived in `exchange.responseHead`. */
  onHead(): void {
    const exchange = this.exchange;
    const program = exchange.program;
    if (exchange.call.active) exchange.call.headSeen(exchange.responseHead);
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
    if (this.compression !== null) {
      this.decoding = this.compression.decoding(exchange.request, exchange.responseHead);
    }
    exchange.phase = "responseFilter";
    if (program.responseFilter !== undefined) {
      const verdict = program.responseFilter(exchange, exchange.ctx);
      if (verdict instanceof Promise) {
        this.hold(HeadHookBusy);
        exchange.await("responseFilter", verdict, (choice) => {
          this.sendHead(choice);
          this.release(HeadHookBusy);
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
    if (feignsTunnel(head.status, exchange.request, exchange.downstream.protocol)) {
      return exchange.fail(upgradeIgnored());
    }
    const program = exchange.program;
    exchange.phase = "bridge";
    const headWaits = exchange.bridge?.responseHead(head) ?? false;
    this.filtered =
      head.framing !== "none" &&
      choice !== "pass-body" &&
      (program.responseBodyFilter !== undefined ||
        program.upstreamResponseBodyFilter !== undefined);
    if (this.compression !== null) this.openCodecs(this.compression);
    head.removeHopByHop(false);
    let framing: Framing = head.framing;
    if (framing !== "none") {
      if (
        this.filtered ||
        (exchange.call.active && framing === "length" && head.contentLength > 0) ||
        (framing === "length" && head.fields.first(FieldId.contentLength) < 0)
      ) {
        // A hook or a codec changes the length, or a hook took its announcement away; or trailers are due
        // behind it, for which there is no room behind a length.
        head.fields.removeId(FieldId.contentLength);
        framing = "chunked";
      }
      // RFC 9112 §6.1: an HTTP/1.0 client understands no transfer coding.
      if (framing !== "length") framing = exchange.request.minor === 0 ? "close" : "chunked";
    }
    this.framing = framing;
    this.headDue = headWaits || (this.decoder !== null && !isEventStream(head));
    if (!this.headDue) this.beginResponse();
  }

  private openCodecs(compression: Compression): void {
    const { request, responseHead: head } = this.exchange;
    const encoding = compression.encoding(request, head);
    // Of HEAD and the like: what the head says of the body was all.
    if (head.framing === "none") return;
    const { transport } = this.exchange.context;
    if (this.decoding !== null) {
      this.decoder = decodingStage(compression, this.decoding, this, transport);
    }
    if (encoding !== null) {
      this.encoder = encodingStage(compression, encoding, isEventStream(head), this, transport);
      if ((this.holds & encoderWaits) !== 0) this.encoder.pause();
    }
    if (this.decoder !== null && (this.holds & decoderWaits) !== 0) this.decoder.pause();
  }

  private beginResponse(): void {
    const exchange = this.exchange;
    this.headDue = false;
    if (exchange.answered) return exchange.answer();
    const { framing } = this;
    const head = exchange.responseHead;
    exchange.started = true;
    exchange.summary.status = head.status;
    exchange.downstream.sendHead(head, framing, head.contentLength, framing === "close");
  }

  // ---- the body, from the upstream to the client -----------------------------------------------

  onData(buf: Uint8Array, start: number, end: number): void {
    if (!this.filtered) {
      this.decode(buf, start, end);
      return;
    }
    const piece = allocBytes(end - start);
    copyBytes(buf, start, end, piece, 0);
    const input = this.filterEarly(piece, false);
    if (this.decoder === null) this.filter(input, false, null);
    else if (input !== null) this.decode(input, 0, input.length);
  }

  onEnd(trailers: Fields | null): void {
    const input = this.filtered ? this.filterEarly(null, true) : null;
    const { decoder } = this;
    if (decoder !== null) {
      this.trailers = trailers;
      if (input !== null) decoder.write(input, 0, input.length);
      decoder.end();
    } else if (this.filtered) this.filter(input, true, trailers);
    else this.encodeEnd(trailers);
  }

  /** What the upstream's own filter makes of a piece. */
  private filterEarly(piece: Uint8Array | null, end: boolean): Uint8Array | null {
    const exchange = this.exchange;
    exchange.phase = "upstreamResponseBodyFilter";
    const early = exchange.program.upstreamResponseBodyFilter?.(exchange, piece, end, exchange.ctx);
    return early === undefined ? piece : early;
  }

  private decode(buf: Uint8Array, start: number, end: number): void {
    if (this.decoder === null) this.encode(buf, start, end);
    else this.decoder.write(buf, start, end);
  }

  /** The client's filter; it may take its time. */
  private filter(input: Uint8Array | null, end: boolean, trailers: Fields | null): void {
    const exchange = this.exchange;
    exchange.phase = "responseBodyFilter";
    const verdict = exchange.program.responseBodyFilter?.(exchange, input, end, exchange.ctx);
    if (verdict instanceof Promise) {
      this.hold(BodyHookBusy);
      exchange.await("responseBodyFilter", verdict, (value) => {
        this.apply(value, input, end, trailers);
        this.release(BodyHookBusy);
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
    if (out !== null && out.length > 0) this.encode(out, 0, out.length);
    if (end) this.encodeEnd(trailers);
  }

  /** To the client's side of the bridge, where there is one, and its encoder. */
  private encode(buf: Uint8Array, start: number, end: number): void {
    const { bridge } = this.exchange;
    if (bridge === null) return this.emit(buf, start, end);
    const bridged = bridge.responseData(buf, start, end);
    if (bridged !== null) this.emitBridged(bridged);
  }

  private emit(buf: Uint8Array, start: number, end: number): void {
    if (this.encoder === null) this.forward(buf, start, end);
    else this.encoder.write(buf, start, end);
  }

  private emitBridged(bytes: Uint8Array): void {
    if (this.headDue) this.beginResponse();
    if (!this.exchange.over && bytes.length > 0) this.emit(bytes, 0, bytes.length);
  }

  private encodeEnd(received: Fields | null): void {
    const { bridge, call, over } = this.exchange;
    let trailers = received;
    if (call.active) call.trailersSeen(received);
    if (bridge !== null && !over) {
      const last = bridge.responseEnd(received);
      this.emitBridged(last ?? none);
      trailers = null;
      if (this.exchange.over) return;
    }
    if (this.encoder === null) return this.finish(trailers);
    this.trailers = trailers;
    this.encoder.end();
  }

  private forward(buf: Uint8Array, start: number, end: number): void {
    const exchange = this.exchange;
    exchange.summary.responseBytes += end - start;
    if (exchange.downstream.sendData(buf, start, end)) this.hold(ClientFull);
  }

  // ---- what the codecs tell --------------------------------------------------------------------

  stageOutput(role: StageRole, bytes: Uint8Array): void {
    const length = bytes.length;
    if (role === "encode") this.exchange.guard("compression", () => this.forward(bytes, 0, length));
    else this.exchange.guard("compression", () => this.decoded(bytes, length));
  }

  private decoded(bytes: Uint8Array, length: number): void {
    if (this.headDue) this.beginResponse();
    if (this.exchange.over) return;
    if (this.filtered) this.filter(bytes, false, null);
    else this.encode(bytes, 0, length);
  }

  stageEnded(role: StageRole): void {
    if (role === "encode") this.exchange.guard("compression", () => this.finish(this.trailers));
    else this.exchange.guard("compression", () => this.decodedEnd());
  }

  private decodedEnd(): void {
    if (this.headDue) this.beginResponse();
    if (this.exchange.over) return;
    if (this.filtered) this.filter(null, true, this.trailers);
    else this.encodeEnd(this.trailers);
  }

  stageFailed(_role: StageRole, error: NetError): void {
    this.exchange.fail(error);
  }

  stageFull(role: StageRole): void {
    this.hold(role === "encode" ? EncoderFull : DecoderFull);
  }

  stageDrained(role: StageRole): void {
    this.exchange.guard("compression", () =>
      this.release(role === "encode" ? EncoderFull : DecoderFull),
    );
  }

  // ---- the end, and the flow -------------------------------------------------------------------

  /** The response has begun, and the client learns of its end when it comes. */
  get openEnded(): boolean {
    return !this.headDue && this.encoder === null && this.framing === "chunked";
  }

  onDownstreamFull(): void {
    this.hold(ClientFull);
  }

  onDownstreamWritable(): void {
    if ((this.holds & ClientFull) !== 0) this.release(ClientFull);
  }

  private finish(trailers: Fields | null): void {
    const exchange = this.exchange;
    if (trailers !== null && (this.decoder !== null || this.encoder !== null)) {
      for (const name of digestTrailers) trailers.delete(name);
    }
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
    if ((reason & encoderWaits) !== 0) this.encoder?.pause();
    if ((reason & decoderWaits) !== 0) this.decoder?.pause();
  }

  private release(reason: number): void {
    if (this.holds === 0) return;
    this.holds &= ~reason;
    if (this.exchange.over) return;
    // Each may go on at once, and hold the others again.
    if ((this.holds & encoderWaits) === 0) this.encoder?.resume();
    if ((this.holds & decoderWaits) === 0) this.decoder?.resume();
    if (this.holds === 0 && !this.exchange.over) this.exchange.upstreamSide?.releaseResponse();
  }
}
