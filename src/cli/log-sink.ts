import { close, openSync, write } from "node:fs";

/**
 * The file end of the access log: standard output, standard error or a file that is appended to. Pieces
 * are written one after the other by the thread pool, so a pipe that nobody reads blocks no thread that
 * serves; what comes meanwhile waits, and the workers stop sending when too much is unacknowledged.
 */
export class LogSink {
  readonly #fd: number;
  readonly #owned: boolean;
  readonly #onError: (error: Error) => void;
  readonly #queue: { readonly bytes: Buffer; readonly taken: () => void }[] = [];
  #writing = false;
  #broken = false;
  #failing = false;
  #whenIdle: (() => void) | null = null;

  /** `to`: "stdout", "stderr" or a path. Throws what opening the file throws. */
  constructor(to: string, onError: (error: Error) => void) {
    this.#owned = to !== "stdout" && to !== "stderr";
    this.#fd = to === "stdout" ? 1 : to === "stderr" ? 2 : openSync(to, "a", 0o640);
    this.#onError = onError;
  }

  /** Writes whole lines; `taken` is called when they were written or are given up. */
  write(text: string, taken: () => void): void {
    if (this.#broken) {
      taken();
      return;
    }
    this.#queue.push({ bytes: Buffer.from(text), taken });
    if (!this.#writing) this.#next();
  }

  /** Waits until all is written, at most that long, and closes the file. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#writing) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#whenIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#broken = true;
    if (this.#owned) close(this.#fd, () => {});
  }

  #next(): void {
    const piece = this.#queue.shift();
    this.#writing = piece !== undefined;
    if (piece === undefined) this.#whenIdle?.();
    else this.#writeOn(piece.bytes, 0, piece.taken);
  }

  #writeOn(bytes: Buffer, from: number, taken: () => void): void {
    write(this.#fd, bytes, from, bytes.length - from, null, (error, written) => {
      if (error?.code === "EAGAIN") {
        // Somebody made the shared descriptor non-blocking, and its pipe is full.
        setTimeout(() => this.#writeOn(bytes, from, taken), 20);
        return;
      }
      if (error === null && from + written < bytes.length) {
        this.#writeOn(bytes, from + written, taken);
        return;
      }
      if (error === null) this.#failing = false;
      else this.#fail(error);
      taken();
      this.#next();
    });
  }

  /** A closed pipe or a full disk: said once; lines are lost until writing works again. */
  #fail(error: NodeJS.ErrnoException): void {
    const gone = error.code === "EPIPE" || error.code === "EBADF";
    this.#broken = gone;
    if (!this.#failing) this.#onError(error);
    this.#failing = true;
    if (!gone) return;
    for (const { taken } of this.#queue.splice(0)) taken();
  }
}
