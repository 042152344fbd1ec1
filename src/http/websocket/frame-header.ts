import { allocBytes } from "../../core/bytes.ts";

/** The longest header: two octets, a length of eight, a masking key. */
export const FRAME_HEADER = 14;

/** Reads frame headers (RFC 6455 §5.2) wherever the input is cut. Reused from frame to frame. */
export class FrameHeader {
  /** All of it was read: the fields hold. */
  complete: boolean;
  /** The length is no number that an endpoint may send, and nobody can say where the frame ends. */
  invalid: boolean;
  fin: boolean;
  /** RSV1, RSV2, RSV3 as the bits 4, 2, 1. */
  reserved: number;
  opcode: number;
  masked: boolean;
  /** Octets of payload. */
  length: number;
  /** The length could have been written with fewer octets. */
  padded: boolean;
  /** Four octets, meaningful when masked. */
  readonly key: Uint8Array;
  #read: number;
  #lengthEnd: number;
  #end: number;

  constructor() {
    this.complete = false;
    this.invalid = false;
    this.fin = false;
    this.reserved = 0;
    this.opcode = 0;
    this.masked = false;
    this.length = 0;
    this.padded = false;
    this.key = allocBytes(4);
    this.#read = 0;
    this.#lengthEnd = 2;
    this.#end = 2;
  }

  /** Some of it was read. */
  get begun(): boolean {
    return this.#read > 0;
  }

  /** For the next frame. */
  reset(): void {
    this.complete = false;
    this.#read = 0;
  }

  /** Reads from buf[start, end) and returns where it stopped: at the end, complete, or invalid. */
  read(buf: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && !this.complete && !this.invalid) this.#octet(buf[at++]!);
    return at;
  }

  #octet(octet: number): void {
    const read = this.#read++;
    if (read === 0) {
      this.fin = octet >= 0x80;
      this.reserved = (octet >> 4) & 7;
      this.opcode = octet & 15;
      return;
    }
    if (read === 1) this.#second(octet);
    else if (read < this.#lengthEnd) this.length = this.length * 256 + octet;
    else this.key[read - this.#lengthEnd] = octet;
    if (this.#read === this.#lengthEnd) this.#lengthRead();
    if (this.#read === this.#end) this.complete = !this.invalid;
  }

  #second(octet: number): void {
    const length = octet & 0x7f;
    this.masked = octet >= 0x80;
    this.length = length < 126 ? length : 0;
    this.#lengthEnd = length < 126 ? 2 : length === 126 ? 4 : 10;
    this.#end = this.#lengthEnd + (this.masked ? 4 : 0);
  }

  #lengthRead(): void {
    const { length } = this;
    // The most significant bit must be 0, and no frame has 2^53 octets.
    this.invalid = length > Number.MAX_SAFE_INTEGER;
    this.padded =
      this.#lengthEnd === 4 ? length < 126 : this.#lengthEnd === 10 ? length < 0x1_0000 : false;
  }
}
