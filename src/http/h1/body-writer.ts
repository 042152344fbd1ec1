import { allocBytes, bytesOf, copyBytes } from "../../core/bytes.ts";
import { NetError } from "../../core/errors.ts";
import type { ByteSink } from "../../core/transport.ts";
import type { Fields } from "../fields.ts";
import type { Framing } from "../framing.ts";
import { CR, LF } from "../octets.ts";

const CRLF = bytesOf("\r\n");
const LAST_CHUNK = bytesOf("0\r\n");
const LAST_CHUNK_AND_END = bytesOf("0\r\n\r\n");

/** A chunk up to this size is put together here and leaves as one write: sinks copy at once. */
const JOINED = 4096;
const scratch = allocBytes(JOINED + 32);

/** Writes one body in the framing that its head announced (RFC 9112 §6, §7). */
export class BodyWriter {
  /** `end` was called. */
  complete: boolean;
  #framing: Framing;
  #left: number;

  constructor() {
    this.complete = false;
    this.#framing = "none";
    this.#left = 0;
  }

  /** Before each body. `contentLength` matters for "length" alone. */
  begin(framing: Framing, contentLength: number): void {
    this.complete = false;
    this.#framing = framing;
    this.#left = framing === "length" ? contentLength : 0;
  }

  /**
   * Writes a piece; an empty one is nothing. Returns true above the sink's high-water mark. Throws
   * NetError INTERNAL, before anything of the piece is written, when the message has no body or the
   * piece exceeds its Content-Length.
   */
  data(sink: ByteSink, buf: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (length === 0) return false;
    switch (this.#framing) {
      case "chunked":
        return writeChunk(sink, buf, start, end);
      case "none":
        throw broken("a message without a body was given one");
      case "length":
        if (length > this.#left) throw broken("a body exceeds its Content-Length");
        this.#left -= length;
        return sink.write(buf, start, end);
      default:
        return sink.write(buf, start, end);
    }
  }

  /**
   * Ends the body; trailers go out where the framing has a place for them, else they are dropped. A
   * second call does nothing. Throws NetError INTERNAL when Content-Length announced more.
   */
  end(sink: ByteSink, trailers: Fields | null): void {
    if (this.complete) return;
    if (this.#left > 0) throw broken(`a body ended ${this.#left} octets before its Content-Length`);
    this.complete = true;
    if (this.#framing !== "chunked") return;
    if (trailers === null) {
      sink.write(LAST_CHUNK_AND_END, 0, LAST_CHUNK_AND_END.length);
      return;
    }
    sink.write(LAST_CHUNK, 0, LAST_CHUNK.length);
    trailers.writeSection(sink, trailers.start);
  }
}

function writeChunk(sink: ByteSink, buf: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  let at = writeHex(length);
  scratch[at++] = CR;
  scratch[at++] = LF;
  if (length > JOINED) {
    sink.write(scratch, 0, at);
    sink.write(buf, start, end);
    return sink.write(CRLF, 0, 2);
  }
  copyBytes(buf, start, end, scratch, at);
  at += length;
  scratch[at++] = CR;
  scratch[at++] = LF;
  return sink.write(scratch, 0, at);
}

/** Writes `value` in hexadecimal at the start of the scratch memory; returns the position after it. */
function writeHex(value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 16; rest = Math.floor(rest / 16)) digits++;
  let rest = value;
  for (let at = digits - 1; at >= 0; at--) {
    const digit = rest % 16;
    scratch[at] = digit < 10 ? 0x30 + digit : 0x57 + digit;
    rest = Math.floor(rest / 16);
  }
  return digits;
}

function broken(message: string): NetError {
  return new NetError("INTERNAL", message, { source: "internal" });
}
