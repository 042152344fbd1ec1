import { allocBytes, copyBytes } from "../../core/bytes.ts";

const none = allocBytes(0);
const least = 4096;

/**
 * Content that arrived before its reader was ready for it, in one piece. The peer's window bounds it;
 * memory is given back when it is taken.
 */
export class HeldContent {
  bytes: Uint8Array = none;
  length = 0;

  get empty(): boolean {
    return this.length === 0;
  }

  keep(buf: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      let size = Math.max(least, this.bytes.length);
      while (size < needed) size *= 2;
      const larger = allocBytes(size);
      copyBytes(this.bytes, 0, this.length, larger, 0);
      this.bytes = larger;
    }
    copyBytes(buf, start, end, this.bytes, this.length);
    this.length = needed;
  }

  /** All of it, as the caller's own. */
  take(): Uint8Array {
    const content = this.bytes.subarray(0, this.length);
    this.clear();
    return content;
  }

  clear(): void {
    this.bytes = none;
    this.length = 0;
  }
}
