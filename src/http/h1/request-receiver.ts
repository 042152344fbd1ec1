import type { Fields } from "../fields.ts";
import { CR, LF } from "../octets.ts";
import type { RequestHead } from "../request-head.ts";
import { CHUNK_DATA, CHUNKS_END, ChunkedDecoder } from "./chunked.ts";
import { Fault, type H1Error, requestError } from "./fault.ts";
import { scanFieldLines } from "./field-lines.ts";
import type { H1Limits } from "./limits.ts";
import { frameRequest } from "./message-framing.ts";
import type { ReceiveEvent } from "./receive-event.ts";
import { MORE, OVERFLOW, Section } from "./section.ts";
import { scanRequestLine } from "./start-line.ts";

export type { H1Error } from "./fault.ts";
export type { ReceiveEvent } from "./receive-event.ts";

/** Empty lines before a request line that we pass over (RFC 9112 §2.2). */
const MAX_EMPTY_LINES = 4;

type State = "head" | "length" | "chunked" | "end-due" | "done" | "failed";

/**
 * The receiving half of an HTTP/1.1 server (RFC 9112). Call `receive` with what is left of the input
 * until it returns "need-data" (all was consumed), "paused" or "error"; each call returns one event:
 *
 *     (head data* end paused… next())*  — or error, for good
 *
 * Between messages, and while whole heads arrive at once, it owns no memory for input.
 */
export class RequestReceiver {
  /** After `receive`: the input was consumed up to here. */
  pos: number;
  /** The piece of a "data" event, inside the caller's buffer. */
  dataStart: number;
  dataEnd: number;
  error: H1Error | null;
  /** After the "end" of a chunked body that had any; valid until the next message. */
  trailers: Fields | null;
  readonly #limits: H1Limits;
  #state: State;
  #section: Section | null;
  #chunked: ChunkedDecoder | null;
  /** Octets left of a body with a length. */
  #left: number;
  #emptyLines: number;
  /** The CR of an empty line came, its LF has not. */
  #emptyCr: boolean;

  constructor(limits: H1Limits) {
    this.pos = 0;
    this.dataStart = 0;
    this.dataEnd = 0;
    this.error = null;
    this.trailers = null;
    this.#limits = limits;
    this.#state = "head";
    this.#section = null;
    this.#chunked = null;
    this.#left = 0;
    this.#emptyLines = 0;
    this.#emptyCr = false;
  }

  /** Part of a head was received. */
  get inHead(): boolean {
    return this.#section !== null;
  }

  /** The next event of buf[start, end). "head" fills `head` with a copy of what was received. */
  receive(buf: Uint8Array, start: number, end: number, head: RequestHead): ReceiveEvent {
    this.pos = start;
    switch (this.#state) {
      case "head":
        return this.#section === null
          ? this.#receiveHead(buf, start, end, head)
          : this.#resumeHead(this.#section, buf, start, end, head);
      case "length":
        return this.#receiveLength(start, end);
      case "chunked":
        return this.#receiveChunked(this.#chunked!, buf, start, end);
      case "end-due":
        this.#state = "done";
        return "end";
      case "done":
        return "paused";
      case "failed":
        return "error";
      default:
        return this.#state satisfies never;
    }
  }

  /** After "end": ready for another message. */
  next(): void {
    if (this.#state !== "done") return;
    this.#state = "head";
    this.trailers = null;
    this.#emptyLines = 0;
  }

  #receiveHead(buf: Uint8Array, start: number, end: number, head: RequestHead): ReceiveEvent {
    let pos = start;
    if (pos < end && (this.#emptyCr || buf[pos] === CR)) {
      pos = this.#skipEmptyLines(buf, start, end);
      if (pos < 0) return this.#fail(pos);
    }
    if (pos === end) {
      this.pos = end;
      return "need-data";
    }
    const stop = this.#scan(buf, pos, end, head);
    if (stop >= 0) return this.#finishHead(buf, pos, stop, head, stop);
    if (stop !== Fault.incomplete) return this.#fail(stop);
    this.#section = new Section();
    return this.#resumeHead(this.#section, buf, pos, end, head);
  }

  /** Gathers a head that comes in pieces; it is parsed when its last octet is there. */
  #resumeHead(
    section: Section,
    buf: Uint8Array,
    start: number,
    end: number,
    head: RequestHead,
  ): ReceiveEvent {
    const inFirstLine = section.firstLine < 0;
    const stop = section.take(buf, start, end, this.#limits.head);
    const lineTooLong = section.firstLine < 0 && section.length >= this.#limits.requestLine + 2;
    if (stop === MORE) {
      if (lineTooLong) return this.#fail(Fault.requestLineTooLong);
      if (inFirstLine && section.firstLine > 0) {
        // Who speaks HTTP/0.9 waits for its answer now.
        const line = scanRequestLine(section.bytes, 0, section.firstLine, head);
        if (line < 0) return this.#fail(line);
      }
      this.pos = end;
      return "need-data";
    }
    if (stop === OVERFLOW) {
      return this.#fail(lineTooLong ? Fault.requestLineTooLong : Fault.headTooLarge);
    }
    const length = this.#scan(section.bytes, 0, section.length, head);
    if (length !== section.length) {
      return this.#fail(length < Fault.incomplete ? length : Fault.bareCr);
    }
    this.#section = null;
    return this.#finishHead(section.bytes, 0, length, head, stop);
  }

  /** Scans a whole head; the position after it, or a Fault. */
  #scan(buf: Uint8Array, start: number, end: number, head: RequestHead): number {
    const limits = this.#limits;
    const fields = head.fields;
    fields.clear();
    const bound = Math.min(end, start + limits.head);
    const lineEnd = scanRequestLine(
      buf,
      start,
      Math.min(bound, start + limits.requestLine + 2),
      head,
    );
    if (lineEnd < 0) {
      if (lineEnd === Fault.incomplete) {
        if (end - start >= limits.requestLine + 2) return Fault.requestLineTooLong;
        if (bound < end || end - start >= limits.head) return Fault.headTooLarge;
      }
      return lineEnd;
    }
    fields.start = lineEnd - start;
    const stop = scanFieldLines(buf, lineEnd, bound, start, fields, limits.fields);
    if (stop === Fault.incomplete && end - start >= limits.head) return Fault.headTooLarge;
    return stop;
  }

  #finishHead(
    buf: Uint8Array,
    start: number,
    stop: number,
    head: RequestHead,
    consumed: number,
  ): ReceiveEvent {
    head.fields.load(buf, start, stop, head.fields.start);
    head.startLineReceived();
    this.pos = consumed;
    const fault = frameRequest(head);
    if (fault !== 0) return this.#fail(fault);
    if (head.framing === "chunked") {
      this.#chunked ??= new ChunkedDecoder(this.#limits);
      this.#chunked.begin();
      this.#state = "chunked";
    } else if (head.contentLength > 0) {
      if (head.contentLength > this.#limits.body) return this.#fail(Fault.bodyTooLarge);
      this.#left = head.contentLength;
      this.#state = "length";
    } else {
      this.#state = "end-due";
    }
    return "head";
  }

  #receiveLength(start: number, end: number): ReceiveEvent {
    if (start === end) return "need-data";
    const stop = Math.min(end, start + this.#left);
    this.#left -= stop - start;
    this.dataStart = start;
    this.dataEnd = stop;
    this.pos = stop;
    if (this.#left === 0) this.#state = "end-due";
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

  /** The position of the first octet that is not of an empty line, or a Fault. */
  #skipEmptyLines(buf: Uint8Array, start: number, end: number): number {
    let pos = start;
    while (pos < end) {
      if (this.#emptyCr) {
        if (buf[pos] !== LF) return Fault.bareCr;
        if (++this.#emptyLines > MAX_EMPTY_LINES) return Fault.emptyLines;
        this.#emptyCr = false;
      } else {
        if (buf[pos] !== CR) break;
        this.#emptyCr = true;
      }
      pos++;
    }
    return pos;
  }

  #fail(fault: number): ReceiveEvent {
    this.#state = "failed";
    this.#section = null;
    this.error = requestError(fault);
    return "error";
  }
}
