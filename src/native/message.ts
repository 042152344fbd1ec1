import { MSG_NOSIGNAL } from "./constants.ts";
import { errno, type Libc, libc } from "./libc.ts";
import { PinnedMemory, putPointer } from "./memory.ts";

// struct msghdr, in 32-bit words: name 0, namelen 2, iov 4, iovlen 6, control 8, controllen 10, flags 12
const MSGHDR_WORDS = 14;
const IOV_POINTER = 4;
const IOV_LENGTH = 6;
const IOVEC_WORDS = 4;

/** Pieces that one call sends; the kernel takes up to 1024 (UIO_MAXIOV). */
export const MAX_PIECES = 64;

/**
 * A gathered send: `add` pieces, then `send` once. `sendmsg` and not `writev`, for `writev` has no
 * MSG_NOSIGNAL and a closed peer would raise SIGPIPE. It owns the `msghdr` and the vector; the pieces
 * are borrowed until `send` has returned.
 */
export class SendVector {
  readonly #c: Libc = libc();
  readonly #memory = new PinnedMemory((MSGHDR_WORDS + MAX_PIECES * IOVEC_WORDS) * 4);
  readonly #words: Int32Array = this.#memory.words;
  #count = 0;

  constructor() {
    putPointer(this.#words, IOV_POINTER, this.#memory.address + MSGHDR_WORDS * 4);
  }

  get full(): boolean {
    return this.#count === MAX_PIECES;
  }

  add(address: number, length: number): void {
    const at = MSGHDR_WORDS + this.#count * IOVEC_WORDS;
    putPointer(this.#words, at, address);
    putPointer(this.#words, at + 2, length);
    this.#count++;
  }

  /** Sends what was added and forgets it: the number of bytes that the kernel took, or -errno. */
  send(fd: number): number {
    this.#words[IOV_LENGTH] = this.#count;
    this.#count = 0;
    const sent = this.#c.sendmsg(fd, this.#memory.address, MSG_NOSIGNAL);
    return sent < 0 ? -errno() : sent;
  }
}
