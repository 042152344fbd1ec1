import { allocBytes, copyBytes } from "../../core/bytes.ts";
import { Faults, type H2Fault } from "./fault.ts";
import type { H2Limits } from "./limits.ts";

/**
 * A field block that comes in HEADERS and CONTINUATION: gathered, as it is decoded in one piece.
 */
export class HeaderBlock {
  bytes: Uint8Array;
  length: number;
  /** The stream that it is of, 0 while none is open. */
  stream: number;
  ended: boolean;
  /** When it is overdue. */
  deadline: number;
  #frames: number;

  constructor() {
    this.bytes = NONE;
    this.length = 0;
    this.stream = 0;
    this.ended = false;
    this.deadline = Number.POSITIVE_INFINITY;
    this.#frames = 0;
  }

  open(stream: number, ended: boolean, deadline: number): void {
    this.stream = stream;
    this.ended = ended;
    this.deadline = deadline;
    this.length = 0;
    this.#frames = 0;
  }

  /** Null, or the flood that it is. */
  append(buf: Uint8Array, start: number, end: number, limits: H2Limits): H2Fault | null {
    const needed = this.length + end - start;
    if (needed > limits.headerBlock || this.#frames++ > limits.continuations) {
      return Faults.continuationFlood;
    }
    if (needed > this.bytes.length) {
      const grown = allocBytes(Math.max(2 * this.bytes.length, needed, 1024));
      if (this.length > 0) copyBytes(this.bytes, 0, this.length, grown, 0);
      this.bytes = grown;
    }
    copyBytes(buf, start, end, this.bytes, this.length);
    this.length = needed;
    return null;
  }

  /** It is complete, or of no use any more. `bytes` as they were can be read on by the caller. */
  close(): void {
    this.stream = 0;
    this.deadline = Number.POSITIVE_INFINITY;
    this.bytes = NONE;
    this.length = 0;
  }
}

const NONE = allocBytes(0);
