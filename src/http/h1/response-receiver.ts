import type { Fields } from "../fields.ts";
import type { ResponseHead } from "../response-head.ts";
import { CHUNK_DATA, CHUNKS_END, ChunkedDecoder } from "./chunked.ts";
import { Fault, type H1Error, responseError } from "./fault.ts";
import { scanFieldLines } from "./field-lines.ts";
import type { H1Limits } from "./limits.ts";
import { frameResponse } from "./message-framing.ts";
import type { ReceiveEvent } from "./receive-event.ts";
import { MORE, OVERFLOW, Section } from "./section.ts";
import { scanStatusLine } from "./start-line.ts";

type State = "idle" | "head" | "length" | "chunked" | "close" | "end-due" | "done" | "failed";

/**
 * The receiving half of an HTTP/1.1 client (RFC 9112). Driven as RequestReceiver, but each response is
 * announced by `begin`, and the connection's end is told by `eof`:
 *
 *     (begin() head(1xx)* head data* end paused…)*  — or error, for good
 *
 * After the head of a 101, or of a 2xx to CONNECT, framing is "tunnel" and the rest of the input is
 * none of ours: "paused".
 */
export class ResponseReceiver {
  /** After `receive`: the input was consumed up to here. */
  pos: number;
  /** The piece of a "data" event, inside the caller's buffer. */
  dataStart: number;
  dataEnd: number;
  error: H1Error | null;
  /** After the "end" of a chunked body that had any; valid until the next `begin`. */
  trailers: Fields | null;
  /** The first octet since `begin` was seen. */
  started: boolean;
  readonly #limits: H1Limits;
  #state: State;
  #method: string;
  #section: Section | null;
  #chunked: ChunkedDecoder | null;
  /** Octets left of a body with a length, or that a body until close may still have. */
  #left: number;

  constructor(limits: H1Limits) {
    this.pos = 0;
    this.dataStart = 0;
    this.dataEnd = 0;
    this.error = null;
    this.trailers = null;
    this.started = false;
    this.#limits = limits;
    this.#state = "idle";
    this.#method = "GET";
    this.#section = null;
    this.#chunked = null;
    this.#left = 0;
  }

  /** Part of a head was received. */
  get inHead(): boolean {
    return this.#section !== null;
  }

  /** A request with this method was sent: its response comes next. Nothing after an error. */
  begin(method: string): void {
    if (this.#state === "failed") return;
    this.#state = "head";
    this.#method = method;
    this.#section = null;
    this.trailers = null;
    this.started = false;
  }

  /** The next event of buf[start, end). "head" fills `head` with a copy of what was received. */
  receive(buf: Uint8Array, start: number, end: number, head: ResponseHead): ReceiveEvent {
    this.pos = start;
    switch (this.#state) {
      case "head":
        if (start === end) return "need-data";
        this.started = true;
        return this.#section === null
          ? this.#receiveHead(buf, start, end, head)
          : this.#resumeHead(this.#section, buf, start, end, head);
      case "length":
      case "close":
        return this.#receiveCounted(start, end);
      case "chunked":
        return this.#receiveChunked(this.#chunked!, buf, start, end);
      case "end-due":
        this.#state = "done";
        return "end";
      case "idle":
      case "done":
        return "paused";
      case "failed":
        return "error";
      default:
        return this.#state satisfies never;
    }
  }

  /** The peer sent its last octet: ends a body until close, else breaks off what is not complete. */
  eof(): "end" | "error" {
    switch (this.#state) {
      case "head":
      case "length":
      case "chunked":
        this.#fail(Fault.prematureClose);
        return "error";
      case "failed":
        return "error";
      default:
        this.#state = "done";
        return "end";
    }
  }

  #receiveHead(buf: Uint8Array, start: number, end: number, head: ResponseHead): ReceiveEvent {
    const stop = this.#scan(buf, start, end, head);
    if (stop >= 0) return this.#finishHead(buf, start, stop, head, stop);
    if (stop !== Fault.incomplete) return this.#fail(stop);
    this.#section = new Section();
    return this.#resumeHead(this.#section, buf, start, end, head);
  }

  #resumeHead(
    section: Section,
    buf: Uint8Array,
    start: number,
    end: number,
    head: ResponseHead,
  ): ReceiveEvent {
    const inFirstLine = section.firstLine < 0;
    const stop = section.take(buf, start, end, this.#limits.head);
    if (stop === OVERFLOW) return this.#fail(Fault.headTooLarge);
    if (stop === MORE) {
      if (inFirstLine && section.firstLine > 0) {
        const line = scanStatusLine(section.bytes, 0, section.firstLine, head);
        if (line < 0) return this.#fail(line);
      }
      this.pos = end;
      return "need-data";
    }
    const length = this.#scan(section.bytes, 0, section.length, head);
    if (length !== section.length) {
      return this.#fail(length < Fault.incomplete ? length : Fault.bareCr);
    }
    this.#section = null;
    return this.#finishHead(section.bytes, 0, length, head, stop);
  }

  #scan(buf: Uint8Array, start: number, end: number, head: ResponseHead): number {
    const limits = this.#limits;
    const fields = head.fields;
    fields.clear();
    const bound = Math.min(end, start + limits.head);
    let pos = scanStatusLine(buf, start, bound, head);
    if (pos >= 0) {
      fields.start = pos - start;
      pos = scanFieldLines(buf, pos, bound, start, fields, limits.fields);
    }
    return pos === Fault.incomplete && end - start >= limits.head ? Fault.headTooLarge : pos;
  }

  #finishHead(
    buf: Uint8Array,
    start: number,
    stop: number,
    head: ResponseHead,
    consumed: number,
  ): ReceiveEvent {
    head.fields.load(buf, start, stop, head.fields.start);
    this.pos = consumed;
    const fault = frameResponse(head, this.#method);
    if (fault !== 0) return this.#fail(fault);
    switch (head.framing) {
      case "tunnel":
        this.#state = "done";
        break;
      case "chunked":
        this.#chunked ??= new ChunkedDecoder(this.#limits);
        this.#chunked.begin();
        this.#state = "chunked";
        break;
      case "length":
        if (head.contentLength > this.#limits.body) return this.#fail(Fault.bodyTooLarge);
        this.#left = head.contentLength;
        this.#state = head.contentLength > 0 ? "length" : "end-due";
        break;
      case "close":
        this.#left = this.#limits.body;
        this.#state = "close";
        break;
      case "none":
        // An interim response is followed by another head (RFC 9110 §15.2).
        this.#state = head.status < 200 ? "head" : "end-due";
        break;
    }
    return "head";
  }

  #receiveCounted(start: number, end: number): ReceiveEvent {
    if (start === end) return "need-data";
    const stop = Math.min(end, start + this.#left);
    if (stop === start) return this.#fail(Fault.bodyTooLarge);
    this.#left -= stop - start;
    this.dataStart = start;
    this.dataEnd = stop;
    this.pos = stop;
    if (this.#left === 0 && this.#state === "length") this.#state = "end-due";
    return "data";
  }

  #receiveChunked(
    chunked: ChunkedDecoder,
    buf: Uint8Array,
    start: number,
    end: number,
  ): ReceiveEvent {
    const result = chunked.receive(buf, start, end);
    if (result < Fault.incomplete) return this.#fail(result);
    this.pos = chunked.pos;
    if (result === CHUNK_DATA) {
      this.dataStart = chunked.dataStart;
      this.dataEnd = chunked.dataEnd;
      return "data";
    }
    if (result !== CHUNKS_END) return "need-data";
    this.trailers = chunked.trailers;
    this.#state = "done";
    return "end";
  }

  #fail(fault: number): "error" {
    this.#state = "failed";
    this.#section = null;
    this.error = responseError(fault);
    return "error";
  }
}
