import { type NativePoll, nativePoll } from "./libc.ts";

/**
 * koffi holds its wrapper of a uv_poll_t weakly and frees it when the collector takes it, although
 * libuv still calls into it. So every open handle stays in this set.
 */
const open = new Map<number, LoopPoll>();

/**
 * Lets libuv wait for a descriptor to become readable (level-triggered), from `start` until `stop`.
 *
 * The callback runs outside of Node's callback scope: microtasks and ticks that it queues would wait
 * for some other callback of the loop to end. Hence `onReadable` never runs in it: it runs from a
 * `setImmediate` of the same iteration of the loop, after which Node drains both, and an exception
 * there is an ordinary uncaught exception.
 */
export class LoopPoll {
  readonly #fd: number;
  readonly #onReadable: () => void;
  readonly #handle: NativePoll;
  readonly #callback: () => void;
  #polling = true;
  #closed = false;

  /** Starts polling. A descriptor can be polled once at a time: a second LoopPoll throws. */
  constructor(fd: number, onReadable: () => void) {
    // libuv aborts the process on both.
    if (open.has(fd)) throw new Error(`descriptor ${fd} is polled already`);
    if (!Number.isInteger(fd) || fd < 0) throw new Error(`not a descriptor: ${fd}`);
    this.#fd = fd;
    this.#onReadable = onReadable;
    this.#callback = () => this.#wake();
    this.#handle = nativePoll(fd, this.#callback);
    open.set(fd, this);
  }

  /** Polls again after a wake-up: polling stops before `onReadable` is called. */
  start(): void {
    if (this.#closed || this.#polling) return;
    this.#polling = true;
    this.#handle.start({ readable: true }, this.#callback);
  }

  stop(): void {
    if (this.#closed || !this.#polling) return;
    this.#polling = false;
    this.#handle.stop();
  }

  /** Whether an active poll keeps the loop, and so the process, alive. */
  setRef(hold: boolean): void {
    if (this.#closed) return;
    if (hold) this.#handle.ref();
    else this.#handle.unref();
  }

  /** To be called before the descriptor is closed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#polling = false;
    this.#handle.close();
    open.delete(this.#fd);
  }

  #wake(): void {
    this.stop();
    setImmediate(this.#onReadable);
  }
}
