import { allocBytes, copyBytes } from "../core/bytes.ts";

/**
 * Input that arrived before its reader was ready: the tail of one borrowed buffer, copied. It never
 * holds more than one read of the driver plus what was already held, because its stream is paused.
 */
export class HeldInput {
  bytes: Uint8Array | null = null;
  start = 0;
  end = 0;

  get empty(): boolean {
    return this.start === this.end;
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
