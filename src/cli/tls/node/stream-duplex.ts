import { Duplex } from "node:stream";
import type { NetError } from "../../../core/errors.ts";
import type { ConnectHandler, Stream } from "../../../core/transport.ts";

type Done = (error?: Error | null) => void;

/** One of our streams as Node's: what `node:tls` speaks TLS over. */
export class StreamDuplex extends Duplex implements ConnectHandler {
  #raw: Stream | null = null;
  /** The stream is full: Node's next write waits. */
  #blocked: Done | null = null;
  /** The peer has sent its last byte. */
  #ended = false;

  constructor() {
    // Its end takes the TLS socket along, with what that has decrypted and nobody has read yet.
    super({ allowHalfOpen: true, autoDestroy: false });
  }

  /** First of all; the stream's handler is the caller's to set. */
  attach(raw: Stream): void {
    this.#raw = raw;
  }

  onConnect(): void {}

  onData(buf: Uint8Array, start: number, end: number): void {
    if (!this.push(Buffer.from(buf.subarray(start, end)))) this.#raw?.pause();
  }

  onWritable(): void {
    const done = this.#blocked;
    this.#blocked = null;
    done?.();
  }

  onEnd(): void {
    this.#ended = true;
    this.push(null);
  }

  onClose(error: NetError | null): void {
    this.#raw = null;
    // After a clean end the TLS socket closes when what it has was read.
    if (error !== null || !this.#ended) this.destroy(error ?? undefined);
  }

  override _read(): void {
    this.#raw?.resume();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    if (this.#raw === null) done();
    else if (this.#raw.write(chunk, 0, chunk.length)) this.#blocked = done;
    else done();
  }

  override _final(done: Done): void {
    this.#raw?.end();
    done();
  }

  /** What was written still goes out. */
  override _destroy(error: Error | null, done: Done): void {
    this.#raw?.close();
    done(error);
  }
}
