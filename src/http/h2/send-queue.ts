import { allocBytes, copyBytes } from "../../core/bytes.ts";
import type { Fields } from "../fields.ts";

/**
 * What a stream has to send and may not yet: content, then its end. An owner that stops when it is
 * told leaves one piece here.
 */
export class SendQueue {
  bytes: Uint8Array;
  start: number;
  end: number;
  /** The message ends behind the content. */
  ended: boolean;
  trailers: Fields | null;
  /** When the queue last moved, in microseconds. */
  movedAt: number;

  constructor() {
    this.bytes = NONE;
    this.start = 0;
    this.end = 0;
    this.ended = false;
    this.trailers = null;
    this.movedAt = 0;
  }

  get length(): number {
    return this.end - this.start;
  }

  append(buf: Uint8Array, start: number, end: number): void {
    const waiting = this.end - this.start;
    const needed = waiting + end - start;
    if (this.end + end - start > this.bytes.length) {
      const target = needed > this.bytes.length ? allocBytes(sizeFor(needed)) : this.bytes;
      if (waiting > 0) copyBytes(this.bytes, this.start, this.end, target, 0);
      this.bytes = target;
      this.start = 0;
      this.end = waiting;
    }
    copyBytes(buf, start, end, this.bytes, this.end);
    this.end += end - start;
  }

  /** The first `octets` have gone; memory is given back with the last. */
  take(octets: number): void {
    this.start += octets;
    if (this.start < this.end) return;
    this.bytes = NONE;
    this.start = 0;
    this.end = 0;
  }
}

const NONE = allocBytes(0);

function sizeFor(length: number): number {
  let size = 1024;
  while (size < length) size *= 2;
  return size;
}
