import { copyBytes } from "../../core/bytes.ts";

/** Bytes in order, as the pieces in which they came. */
export class ByteQueue {
  length = 0;
  #pieces: Uint8Array[] = [];
  /** The first piece that is not used up, and how far it is. */
  #first = 0;
  #offset = 0;

  /** Takes the piece itself: nobody else may write to it. */
  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.length += piece.length;
  }

  /** Moves the first `count` bytes to dst at `at`; there must be as many. */
  take(count: number, dst: Uint8Array, at: number): void {
    let done = 0;
    while (done < count) {
      const piece = this.#pieces[this.#first]!;
      const n = Math.min(count - done, piece.length - this.#offset);
      copyBytes(piece, this.#offset, this.#offset + n, dst, at + done);
      done += n;
      this.#offset += n;
      if (this.#offset === piece.length) this.#drop();
    }
    this.length -= count;
  }

  clear(): void {
    this.#pieces = [];
    this.#first = 0;
    this.#offset = 0;
    this.length = 0;
  }

  #drop(): void {
    this.#first++;
    this.#offset = 0;
    if (this.#first < 32 && this.#first < this.#pieces.length) return;
    this.#pieces = this.#pieces.slice(this.#first);
    this.#first = 0;
  }
}
