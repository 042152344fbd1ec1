import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { copyBytes } from "../../core/bytes.ts";
import type { PcapngSink } from "../../wire/pcapng.ts";

const BUFFER = 1 << 20;
const FLUSH_MILLIS = 500;

/**
 * A file that a capture is written to, a megabyte at a time; what is buffered is written twice a second,
 * so that a file may be looked at while it grows. A file that can no longer be written ends the capture,
 * not the host.
 */
export class CaptureFile implements PcapngSink {
  readonly #fd: number;
  readonly #onError: (error: Error) => void;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER);
  readonly #timer: NodeJS.Timeout;
  #used = 0;
  #open = true;

  /** Whether the constructor waits, with all else, until somebody opens the other end. */
  static isFifo(path: string): boolean {
    return statSync(path, { throwIfNoEntry: false })?.isFIFO() === true;
  }

  /** Throws what opening the file throws. */
  constructor(path: string, onError: (error: Error) => void) {
    this.#fd = openSync(path, "w", 0o640);
    this.#onError = onError;
    this.#timer = setInterval(() => this.flush(), FLUSH_MILLIS);
    this.#timer.unref();
  }

  write(buf: Uint8Array, start: number, end: number): void {
    if (end - start > BUFFER - this.#used) this.flush();
    // A block holds one frame: 64 KiB and a little.
    copyBytes(buf, start, end, this.#buffer, this.#used);
    this.#used += end - start;
  }

  flush(): void {
    try {
      for (let at = 0; at < this.#used && this.#open; ) {
        at += writeSync(this.#fd, this.#buffer, at, this.#used - at);
      }
    } catch (error) {
      this.#end();
      this.#onError(error as Error);
    }
    this.#used = 0;
  }

  close(): void {
    if (!this.#open) return;
    this.flush();
    this.#end();
  }

  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    clearInterval(this.#timer);
    closeSync(this.#fd);
  }
}
