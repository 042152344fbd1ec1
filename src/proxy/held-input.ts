import { allocBytes, copyBytes } from "../core/bytes.ts";

/**
 * Input that arrived before its reader was ready: the tail of one borrowed buffer, copied. It never
 * holds more than one read of the driver plus what was already held, because its stream is paused.
 *
 * Its reader may take all of it, read some, and keep the rest again: that moves no byte.
 */
export class HeldInput {
  bytes: Uint8Array | null = null;
  start = 0;
  end = 0;

  get empty(): boolean {
    return this.start === this.end;
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

  clear(): void {
    this.bytes = null;
    this.start = 0;
    this.end = 0;
  }
}
