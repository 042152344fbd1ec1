import * as K from "./constants.ts";
import { systemError } from "./errno.ts";
import { errno, type Libc, libc } from "./libc.ts";
import { PinnedMemory } from "./memory.ts";

// struct epoll_event {u32 events; u64 data}: packed on x64 alone (eventpoll.h, EPOLL_PACKED)
const PACKED = process.arch === "x64";
const STRIDE = PACKED ? 3 : 4;
const DATA = PACKED ? 1 : 2;

/**
 * An epoll set. The data of an event is the descriptor and a generation, a number that the caller
 * chooses, so that an event of a closed descriptor is told from one of its successor.
 *
 * It owns its descriptor and the memory of the events; events are valid until the next `wait`.
 */
export class EpollSet {
  readonly fd: number;
  readonly #c: Libc = libc();
  readonly #capacity: number;
  readonly #events: PinnedMemory;
  readonly #words: Int32Array;
  readonly #change = new PinnedMemory(16);

  /** `capacity`: events that one `wait` can bring. Throws EMFILE when descriptors have run out. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#events = new PinnedMemory(capacity * STRIDE * 4);
    this.#words = this.#events.words;
    this.fd = this.#c.epoll_create1(K.EPOLL_CLOEXEC);
    if (this.fd < 0) throw systemError(errno(), "epoll_create1", "internal");
  }

  /** 0 or -errno. Closing a descriptor takes it out, as none here is ever duplicated. */
  add(fd: number, interest: number, generation: number): number {
    const { words, address } = this.#change;
    words[0] = interest;
    words[DATA] = fd;
    words[DATA + 1] = generation;
    return this.#c.epoll_ctl(this.fd, K.EPOLL_CTL_ADD, fd, address) < 0 ? -errno() : 0;
  }

  remove(fd: number): void {
    this.#c.epoll_ctl(this.fd, K.EPOLL_CTL_DEL, fd, this.#change.address);
  }

  /** The number of events that are there now; never waits. */
  wait(): number {
    const n = this.#c.epoll_wait(this.fd, this.#events.address, this.#capacity, 0);
    return Math.max(n, 0);
  }

  eventsAt(i: number): number {
    return this.#words[i * STRIDE]!;
  }

  fdAt(i: number): number {
    return this.#words[i * STRIDE + DATA]!;
  }

  generationAt(i: number): number {
    return this.#words[i * STRIDE + DATA + 1]!;
  }

  close(): void {
    this.#c.close(this.fd);
  }
}
