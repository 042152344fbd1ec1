import { markAsUntransferable } from "node:worker_threads";
import { addressOf } from "./libc.ts";

/**
 * Memory that native code may read and write: outside of V8's heap, so it never moves, and never
 * handed to another thread, so it is not freed while this object is reachable. Whoever makes one owns
 * it; an address taken from it is good for as long as the owner keeps the object.
 */
export class PinnedMemory {
  readonly bytes: Buffer;
  /** The same memory as 32-bit words, for structs. */
  readonly words: Int32Array;
  readonly address: number;
  readonly length: number;

  /** Zeroed memory of at least `length` bytes, a multiple of 8. */
  constructor(length: number) {
    this.length = (length + 7) & ~7;
    this.bytes = Buffer.allocUnsafeSlow(this.length).fill(0);
    markAsUntransferable(this.bytes.buffer);
    this.words = new Int32Array(this.bytes.buffer, 0, this.length / 4);
    this.address = addressOf(this.bytes);
  }
}

/** Writes an address or a size_t (below 2^53) as two words, little-endian as both platforms are. */
export function putPointer(words: Int32Array, at: number, value: number): void {
  words[at] = value;
  words[at + 1] = Math.floor(value / 0x1_0000_0000);
}
