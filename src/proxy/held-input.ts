import { allocBytes, copyBytes } from "../core/bytes.ts";
import type { Stream } from "../core/transport.ts";

/**
 * Input that arrived before its reader was ready: the tail of one borrowed buffer, copied, and the
 * stream paused meanwhile. So it never holds more than one read of the driver and what was held before.
 *
 * Its reader may take all of it, read some, and keep the rest again: that moves no byte.
 */
export class HeldInput {
  bytes: Uint8Array | null = null;
  start = 0;
  end = 0;
  paused = false;
  private stream: Stream | null;

  constructor(stream: Stream | null) {
    this.stream = stream;
  }

  /** Before anything else where the stream was not there yet. */
  attach(stream: Stream): void {
    this.stream = stream;
  }

  get empty(): boolean {
    return this.start === this.end;
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.stream?.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.stream?.resume();
  }

  /** What is held is the caller's: bytes[start, end) as they were before, valid until `settle`. */
  take(): void {
    this.start = this.end;
  }

  /** After `take`: gives the memory back when nothing was kept again. */
  settle(): void {
    if (this.start === this.end) this.bytes = null;
  }

  /** Keeps buf[start, end), behind what is held already. */
  keep(buf: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    if (buf === this.bytes) {
      this.start = start;
      this.end = end;
      return;
    }
    const held = this.end - this.start;
    const joined = allocBytes(held + end - start);
    if (this.bytes !== null) copyBytes(this.bytes, this.start, this.end, joined, 0);
    copyBytes(buf, start, end, joined, held);
    this.bytes = joined;
    this.start = 0;
    this.end = joined.length;
  }

  /** What is held, taken out as one piece; null for nothing. */
  remove(): Uint8Array | null {
    const { bytes, start, end } = this;
    this.clear();
    return bytes === null ? null : bytes.subarray(start, end);
  }

  clear(): void {
    this.bytes = null;
    this.start = 0;
    this.end = 0;
  }
}
