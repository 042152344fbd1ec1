import { bytesOf, copyBytes } from "../../core/bytes.ts";
import type { Framing } from "../framing.ts";
import type { RequestHead } from "../request-head.ts";
import { discardBlock } from "./block-reader.ts";
import { H2Code } from "./error-code.ts";
import { Faults } from "./fault.ts";
import { MAX_STREAM_ID, PREFACE } from "./frame-type.ts";
import { writeRequest } from "./head-writer.ts";
import type { ClientOwner, ResponseOwner } from "./owner.ts";
import { readResponse } from "./response-reader.ts";
import { Session, type SessionOptions } from "./session.ts";
import { Setting } from "./settings.ts";
import { H2Stream } from "./stream.ts";

const PREFACE_BYTES = bytesOf(PREFACE);

/** The client's side of an HTTP/2 connection: see README.md. */
export class ClientSession extends Session {
  protected readonly server = false;
  /** Servers open no streams here. */
  protected readonly lastStream = 0;
  readonly #responses: ClientOwner;
  #nextId: number;
  /** `available` was 0 when the owner looked last, or has changed: it is told at the next flush. */
  #wasFull: boolean;

  constructor(options: SessionOptions, owner: ClientOwner) {
    super(options, owner);
    this.#responses = owner;
    this.#nextId = 1;
    this.#wasFull = false;
  }

  start(): void {
    if (this.started) return;
    this.started = true;
    const { limits, output } = this;
    const at = output.reserve(PREFACE_BYTES.length);
    copyBytes(PREFACE_BYTES, 0, PREFACE_BYTES.length, output.bytes, at);
    output.length = at + PREFACE_BYTES.length;
    output.settings([
      ...[Setting.enablePush, 0],
      ...[Setting.initialWindowSize, limits.streamWindow],
      ...[Setting.maxFrameSize, limits.frameSize],
      ...[Setting.maxHeaderListSize, limits.headerList],
    ]);
    this.own.sent(limits.streamWindow, this.clock.now());
    this.receiving.open();
    this.flush();
  }

  /** Opens no more streams; those under way go on. */
  drain(): void {
    if (this.over || this.draining !== "no") return;
    this.draining = "final";
    this.output.goaway(0, H2Code.noError, "");
    this.flush();
  }

  /** The server takes extended CONNECT (RFC 8441); known when its SETTINGS came. */
  get extendedConnect(): boolean {
    return this.peer.extendedConnect;
  }

  /** How many streams may be opened now: by the server's limit and `limits.concurrentStreams`. */
  get available(): number {
    if (this.over || this.draining !== "no" || this.peerLast >= 0) return 0;
    if (this.#nextId > MAX_STREAM_ID) return 0;
    const most = Math.min(this.peer.maxConcurrentStreams, this.limits.concurrentStreams);
    return Math.max(0, most - this.streams.count);
  }

  /** A new stream, to be used with `sendRequest` at once; null when none is available. */
  open(owner: ResponseOwner): H2Stream | null {
    if (this.available === 0) {
      this.#wasFull = true;
      return null;
    }
    if (!this.started) this.start();
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = new H2Stream(id, this.peer.initialWindow, this.own.initialWindow);
    stream.owner = owner;
    stream.response = owner;
    this.streams.add(stream);
    if (this.available === 0) this.#wasFull = true;
    return stream;
  }

  /** The request's head; "none", and "length" of 0, is all of it, but for CONNECT and upgrades. */
  sendRequest(
    stream: H2Stream,
    head: RequestHead,
    scheme: "http" | "https",
    framing: Framing,
    contentLength: number,
  ): void {
    if (!stream.localOpen || stream.headSent) return;
    if (head.form === "authority") stream.connect = "plain";
    else if (head.upgrade && this.extendedConnect) stream.connect = "extended";
    stream.headRequest = head.isMethod("HEAD");
    stream.headSent = true;
    stream.sendLeft = framing === "length" ? contentLength : -1;
    const empty = framing === "none" || (framing === "length" && contentLength === 0);
    const ended = empty && stream.connect === "none";
    writeRequest(this.output, this.encoder, stream, head, scheme, ended);
    if (ended) this.localEnded(stream);
  }

  protected receiveBlock(
    id: number,
    ended: boolean,
    buf: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const stream = this.streams.get(id);
    if (stream === null) {
      if (this.isIdle(id)) return this.fail(Faults.idleStream);
      if (!this.recent.has(id)) return this.fail(Faults.streamClosed);
      const fault = discardBlock(this.decoder, buf, start, end);
      return fault === null ? true : this.fail(fault);
    }
    if (stream.headReceived || !stream.remoteOpen) {
      return this.receiveTrailers(stream, ended, buf, start, end);
    }
    return this.#receiveHead(stream, ended, buf, start, end);
  }

  #receiveHead(
    stream: H2Stream,
    ended: boolean,
    buf: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const owner = stream.response!;
    const head = owner.responseHead;
    const { decoder, limits } = this;
    const fault = readResponse(decoder, buf, start, end, head, stream, ended, limits);
    if (fault === Faults.compression) return this.fail(fault);
    if (fault !== null) return this.streamFault(stream, fault);
    if (head.status < 200 && head.status !== 101) {
      // §8.1: an interim response cannot be the last.
      if (ended) return this.streamFault(stream, Faults.informational);
      if (!this.control.take(this.clock)) return this.fail(Faults.controlFlood);
      owner.onHead(false);
      return !this.over;
    }
    stream.headReceived = true;
    stream.receiveLeft = head.contentLength;
    if (!ended) {
      owner.onHead(false);
      return !this.over;
    }
    this.halfClose(stream);
    owner.onHead(true);
    return !this.over;
  }

  protected isIdle(id: number): boolean {
    return (id & 1) === 0 || id >= this.#nextId;
  }

  protected goingAway(last: number, code: H2Code): void {
    if (this.peerLast >= 0 && last > this.peerLast) {
      this.fail(Faults.goawayGrew);
      return;
    }
    this.peerLast = last;
    for (const stream of this.streams.all()) {
      if (stream.id <= last) continue;
      // §6.8: the server did nothing with them.
      this.end(stream, { code, by: "connection", unprocessed: true, fault: null });
    }
    if (this.streams.count === 0) this.quietDue = true;
    this.#responses.onAvailable();
  }

  protected settingsChanged(): void {
    this.#wasFull = false;
    this.#responses.onAvailable();
  }

  protected streamGone(): void {
    if (!this.#wasFull || this.available === 0) return;
    this.#wasFull = false;
    this.roomDue = true;
  }

  protected thereIsRoom(): void {
    this.#responses.onAvailable();
  }

  protected reprioritize(): void {
    // RFC 9218 §7.1: only clients send it.
    this.fail(Faults.push);
  }
}
