import type { Socket } from "node:net";
import { allocBytes, copyBytes } from "../../core/bytes.ts";

/** Memory that small writes of all streams share; a write of more than a quarter gets its own. */
const SLAB = 16 * 1024;

/**
 * Where small writes are copied to, one after the other. A slab that is full is left to the garbage
 * collector, which frees it when no socket has a part of it any more. So an idle stream has no memory,
 * and a slow one holds at most a slab more than its bytes.
 */
export class WriteSlab {
  memory: Uint8Array = allocBytes(SLAB);
  top = 0;

  /** Makes room for `length` bytes, at most SLAB. */
  reserve(length: number): void {
    if (this.memory.length - this.top >= length) return;
    this.memory = allocBytes(SLAB);
    this.top = 0;
  }
}

/** The part of a socket that takes writes. */
export type WriteTarget = Pick<Socket, "cork" | "uncork" | "write">;

/** What was written in this turn and not yet handed to the socket, copied: it was only borrowed. */
export class PendingBytes {
  length = 0;
  readonly #slab: WriteSlab;
  readonly #pieces: Uint8Array[] = [];
  /** The piece that grows: #memory[#start, #end). */
  #memory: Uint8Array | null = null;
  #start = 0;
  #end = 0;

  constructor(slab: WriteSlab) {
    this.#slab = slab;
  }

  append(buf: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length === 0) return;
    this.length += length;
    if (length > SLAB / 4) {
      this.#seal();
      const own = allocBytes(length);
      copyBytes(buf, start, end, own, 0);
      this.#pieces.push(own);
      return;
    }
    const slab = this.#slab;
    slab.reserve(length);
    if (this.#memory !== slab.memory || this.#end !== slab.top) {
      this.#seal();
      this.#memory = slab.memory;
      this.#start = slab.top;
      this.#end = slab.top;
    }
    copyBytes(buf, start, end, slab.memory, slab.top);
    slab.top += length;
    this.#end = slab.top;
  }

  /** Hands all of it over, as one `writev` where it is in several pieces. */
  moveTo(socket: WriteTarget, afterWrite: () => void): void {
    if (this.length === 0) return;
    this.#seal();
    const pieces = this.#pieces;
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) socket.write(piece, afterWrite);
    if (pieces.length > 1) socket.uncork();
    pieces.length = 0;
    this.length = 0;
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#memory = null;
    this.length = 0;
  }

  #seal(): void {
    if (this.#memory !== null) this.#pieces.push(this.#memory.subarray(this.#start, this.#end));
    this.#memory = null;
  }
}
