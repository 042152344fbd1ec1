/**
 * Counts that one thread writes and another reads. Each worker owns a row of doubles in one
 * SharedArrayBuffer and is the only writer of it, so an increment is a plain load, add and store: no
 * atomics, no message, no allocation. A reader may be one increment behind, never torn: an aligned
 * double is one memory access on every platform that Node runs on.
 */
export class CounterMemory {
  readonly buffer: SharedArrayBuffer;
  readonly #stride: number;
  readonly #rows: readonly Float64Array[];

  /** `buffer`: memory made by another CounterMemory of the same shape; without it, fresh zeros. */
  constructor(slots: number, workers: number, buffer?: SharedArrayBuffer) {
    this.#stride = Math.ceil(slots / DOUBLES_PER_LINE) * DOUBLES_PER_LINE;
    const bytes = this.#stride * workers * Float64Array.BYTES_PER_ELEMENT;
    if (buffer !== undefined && buffer.byteLength !== bytes) {
      throw new RangeError(`counter memory of ${buffer.byteLength} bytes, expected ${bytes}`);
    }
    this.buffer = buffer ?? new SharedArrayBuffer(bytes);
    this.#rows = Array.from(
      { length: workers },
      (_, worker) => new Float64Array(this.buffer, worker * this.#stride * 8, slots),
    );
  }

  get workers(): number {
    return this.#rows.length;
  }

  /** The row that worker number `worker` (from 0) writes. */
  row(worker: number): Float64Array {
    const row = this.#rows[worker];
    if (row === undefined) throw new RangeError(`no counters for worker ${worker}`);
    return row;
  }

  /** A slot's total over all workers. */
  sum(slot: number): number {
    let total = 0;
    for (const row of this.#rows) total += row[slot]!;
    return total;
  }
}

/** Rows start 128 bytes apart at least (adjacent-line prefetch), so workers share no cache line. */
const DOUBLES_PER_LINE = 16;
