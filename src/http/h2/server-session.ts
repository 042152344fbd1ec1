import type { Framing } from "../framing.ts";
import type { ResponseHead } from "../response-head.ts";
import { discardBlock } from "./block-reader.ts";
import { H2Code } from "./error-code.ts";
import { Faults } from "./fault.ts";
import { u32 } from "./frame-check.ts";
import { MAX_STREAM_ID, PREFACE } from "./frame-type.ts";
import { writeResponse } from "./head-writer.ts";
import type { ServerOwner } from "./owner.ts";
import { hasPriority, readPriority } from "./priority.ts";
import { requestReader } from "./request-reader.ts";
import { Session, type SessionOptions } from "./session.ts";
import { Setting } from "./settings.ts";
import { H2Stream } from "./stream.ts";

/** The server's side of an HTTP/2 connection: see README.md. */
export class ServerSession extends Session {
  protected readonly server = true;
  protected lastStream: number;
  readonly #requests: ServerOwner;
  /** Octets of the client's preface that came. */
  #preface: number;

  constructor(options: SessionOptions, owner: ServerOwner) {
    super(options, owner);
    this.#requests = owner;
    this.lastStream = 0;
    this.#preface = 0;
  }

  /** Sends SETTINGS, if `receive` has not done so. */
  start(): void {
    if (this.started) return;
    this.started = true;
    const { limits } = this;
    this.output.settings([
      ...[Setting.maxConcurrentStreams, limits.concurrentStreams],
      ...[Setting.initialWindowSize, limits.streamWindow],
      ...[Setting.maxFrameSize, limits.frameSize],
      ...[Setting.maxHeaderListSize, limits.headerList],
      ...[Setting.enableConnectProtocol, 1],
      ...[Setting.noRfc7540Priorities, 1],
    ]);
    this.own.sent(limits.streamWindow, this.clock.now());
    this.receiving.open();
    this.flush();
  }

  /**
   * Graceful shutdown (RFC 9113 §6.8): a GOAWAY that refuses nothing yet; after a round trip one
   * that names the last request that is served. Requests under way go on to their end.
   */
  drain(): void {
    if (this.over || this.draining !== "no") return;
    this.start();
    this.draining = "announced";
    this.output.goaway(MAX_STREAM_ID, H2Code.noError, "");
    this.liveness.pingForDrain(this.clock.now());
    this.flush();
  }

  /** An interim response. */
  sendInformational(stream: H2Stream, head: ResponseHead): void {
    if (!stream.localOpen || stream.headSent) return;
    writeResponse(this.output, this.encoder, stream, head, false);
  }

  /** The final response's head; "none", and "length" of 0, is all of it. */
  sendHead(stream: H2Stream, head: ResponseHead, framing: Framing, contentLength: number): void {
    if (!stream.localOpen || stream.headSent) return;
    const ended = framing === "none" || (framing === "length" && contentLength === 0);
    stream.headSent = true;
    // A CONNECT that is refused is a request like others: nothing of it is wanted any more.
    if (framing !== "tunnel") stream.connect = "none";
    stream.sendLeft = framing === "length" ? contentLength : -1;
    writeResponse(this.output, this.encoder, stream, head, ended);
    if (ended) this.localEnded(stream);
  }

  protected override readPreface(buf: Uint8Array, start: number, end: number): number {
    let pos = start;
    while (this.#preface < PREFACE.length && pos < end) {
      if (buf[pos++] !== PREFACE.charCodeAt(this.#preface++)) {
        this.fail(Faults.preface);
        return end;
      }
    }
    return pos;
  }

  protected receiveBlock(
    id: number,
    ended: boolean,
    buf: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const known = this.streams.get(id);
    if (known !== null) return this.receiveTrailers(known, ended, buf, start, end);
    if ((id & 1) === 0) return this.fail(Faults.streamId);
    if (id <= this.lastStream) {
      // §5.1: what follows a reset of ours is dropped; anything else on a closed stream is a fault.
      if (!this.recent.has(id)) return this.fail(Faults.streamClosed);
      return this.#discard(buf, start, end);
    }
    // §6.8: streams above the one that the last GOAWAY named are not looked at.
    if (this.draining === "final") return this.#discard(buf, start, end);
    this.lastStream = id;
    if (this.streams.count >= this.limits.concurrentStreams) {
      return this.#refuse(id, true, buf, start, end);
    }
    const stream = new H2Stream(id, this.peer.initialWindow, this.own.initialWindow);
    const owner = this.#requests.onRequest(stream);
    if (owner === null) return this.#refuse(id, false, buf, start, end);
    stream.owner = owner;
    stream.request = owner;
    this.streams.add(stream);
    const head = owner.request;
    const fault = requestReader.read(this.decoder, buf, start, end, head, ended, this.limits);
    if (fault === Faults.compression) return this.fail(fault);
    if (ended) stream.state = "half-closed-remote";
    if (fault !== null) return this.messageFault(stream, fault);
    stream.headReceived = true;
    stream.headRequest = head.isMethod("HEAD");
    stream.receiveLeft = head.contentLength;
    if (head.upgrade) stream.connect = "extended";
    else if (head.form === "authority") stream.connect = "plain";
    const { priority } = requestReader;
    if (!hasPriority(stream, priority)) {
      this.sending.scheduler.prioritize(stream, priority >> 1, (priority & 1) !== 0);
    }
    owner.onHead(ended);
    return !this.over;
  }

  #discard(buf: Uint8Array, start: number, end: number): boolean {
    const fault = discardBlock(this.decoder, buf, start, end);
    return fault === null ? true : this.fail(fault);
  }

  /** `abuse`: the client was told how many streams it may open. */
  #refuse(id: number, abuse: boolean, buf: Uint8Array, start: number, end: number): boolean {
    this.output.reset(id, H2Code.refusedStream);
    this.recent.add(id);
    if (!this.#discard(buf, start, end)) return false;
    return !abuse || this.resets.take(this.clock) ? true : this.fail(Faults.rapidReset);
  }

  protected isIdle(id: number): boolean {
    return (id & 1) === 0 || id > this.lastStream;
  }

  /** The client names streams of ours, of which there are none: it just opens no more. */
  protected goingAway(_last: number, _code: H2Code): void {
    this.peerLast = MAX_STREAM_ID;
  }

  protected settingsChanged(): void {}

  protected streamGone(): void {}

  protected thereIsRoom(): void {}

  /** RFC 9218 §7.1; for streams that are not open yet it is not kept: their HEADERS may say it. */
  protected reprioritize(buf: Uint8Array, start: number, end: number): void {
    const id = u32(buf, start) & 0x7fff_ffff;
    if (id === 0) {
      this.fail(Faults.streamZero);
      return;
    }
    const stream = this.streams.get(id);
    if (stream === null) return;
    const priority = readPriority(buf, start + 4, end);
    this.sending.scheduler.prioritize(stream, priority >> 1, (priority & 1) !== 0);
  }
}
