import { copyBytes } from "../core/bytes.ts";
import { PinnedMemory } from "../native/memory.ts";

/** What one record holds (RFC 8446 §5.1). */
const BYTES = 16 * 1024;
/** Buffers that are kept between turns: as many streams as have something to say in one. */
const POOLED = 64;

const pool: PinnedMemory[] = [];

/**
 * Small writes of a turn become one record: a head, the size of a chunk, the chunk and the end of its
 * line would else be four, with 22 bytes and a call each. It holds memory only while it holds bytes.
 */
export class WriteGather {
  #memory: PinnedMemory | null = null;
  length = 0;

  /** Copies buf[start, end), unless that is more than there is room for: then nothing. */
  append(buf: Uint8Array, start: number, end: number): boolean {
    if (this.length + end - start > BYTES) return false;
    this.#memory ??= pool.pop() ?? new PinnedMemory(BYTES);
    copyBytes(buf, start, end, this.#memory.bytes, this.length);
    this.length += end - start;
    return true;
  }

  /** What was gathered is [0, length) of it, until `clear`. There must be something. */
  get bytes(): Uint8Array {
    return this.#memory!.bytes;
  }

  clear(): void {
    const memory = this.#memory;
    this.length = 0;
    if (memory === null) return;
    this.#memory = null;
    if (pool.length < POOLED) pool.push(memory);
  }
}
