import { copyBytes } from "../../core/bytes.ts";
import type { NetError } from "../../core/errors.ts";
import type { StreamHandler } from "../../core/transport.ts";
import type { TcpStream } from "../tcp/tcp-stream.ts";
import { systemError } from "./socket-error.ts";

export type Done = (error?: Error | null) => void;

/** The socket above a stream. */
export interface StreamReader {
  /** Takes bytes, or null for the peer's end. False: no more until `resume`. */
  take(chunk: Buffer | null): boolean;
  /** The stream has gone, or both sides ended (null). */
  gone(error: NetError | null): void;
  /** Bytes came or went. */
  active(): void;
}

/** Between a `TcpStream` and a Duplex: copies what is borrowed, and turns backpressure into callbacks. */
export class StreamEnd implements StreamHandler {
  readonly stream: TcpStream;
  bytesRead = 0;
  /** Handed to the stream. */
  bytesWritten = 0;
  /** Of these, what the Duplex still counts as unwritten. */
  inFlight = 0;
  ended = false;
  readonly #reader: StreamReader;
  /** The write that waits for room. */
  #waiting: Done | null = null;

  constructor(stream: TcpStream, reader: StreamReader) {
    this.stream = stream;
    this.#reader = reader;
    stream.handler = this;
  }

  write(chunks: readonly Uint8Array[], done: Done): void {
    const { stream } = this;
    if (stream.closed) {
      done(systemError("EPIPE", "write"));
      return;
    }
    let full = false;
    let length = 0;
    for (const chunk of chunks) {
      full = stream.write(chunk, 0, chunk.length);
      length += chunk.length;
    }
    this.bytesWritten += length;
    this.#reader.active();
    if (!full) {
      done();
      return;
    }
    this.inFlight = length;
    this.#waiting = done;
  }

  /** Gives the stream up as `close(2)` does: what is queued is still sent. Or resets it. */
  release(reset: boolean): void {
    if (reset) this.stream.abort();
    else this.stream.close();
    this.#settle();
  }

  // StreamHandler

  onData(bytes: Uint8Array, start: number, end: number): void {
    const chunk = Buffer.allocUnsafe(end - start);
    copyBytes(bytes, start, end, chunk, 0);
    this.bytesRead += chunk.length;
    this.#reader.active();
    if (!this.#reader.take(chunk)) this.stream.pause();
  }

  onWritable(): void {
    this.#reader.active();
    this.#settle();
  }

  onEnd(): void {
    this.ended = true;
    this.#reader.take(null);
  }

  onClose(error: NetError | null): void {
    this.#reader.gone(error);
  }

  /** As Node does, a write that a destroyed socket left behind succeeds. */
  #settle(): void {
    const done = this.#waiting;
    this.#waiting = null;
    this.inFlight = 0;
    done?.(null);
  }
}
