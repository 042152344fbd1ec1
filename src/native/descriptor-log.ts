import { libc, nativeAvailable } from "./libc.ts";

/** Descriptors from here on are not noted: 2^20 is the default hard limit of a process. */
const noted = 1 << 20;

/**
 * Notes which descriptors a thread has open, in memory that outlives it. A thread that ends by force
 * (out of memory, terminated) leaves its sockets open: clients would wait on them, and the kernel would
 * go on giving new connections to its listening sockets. Whoever replaces it calls `closeAll`.
 *
 * One byte a descriptor; a page of it is real memory only once it was written to.
 */
export class DescriptorLog {
  readonly #open: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.#open = new Uint8Array(memory);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(noted);
  }

  opened(fd: number): void {
    if (fd < this.#open.length) this.#open[fd] = 1;
  }

  /** To be called before the descriptor is closed: right after, another thread may be given it. */
  closing(fd: number): void {
    if (fd < this.#open.length) this.#open[fd] = 0;
  }

  /** Closes what a dead thread left open; the number of descriptors. */
  closeAll(): number {
    let count = 0;
    for (let fd = this.#open.indexOf(1); fd >= 0; fd = this.#open.indexOf(1, fd + 1)) {
      this.#open[fd] = 0;
      if (nativeAvailable() === null) libc().close(fd);
      count++;
    }
    return count;
  }
}
