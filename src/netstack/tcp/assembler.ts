import { type Seq, seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt } from "../../wire/seq.ts";
import { ByteQueue } from "./byte-queue.ts";

/** Bytes [start, end) that arrived ahead of a gap. */
export class ReceivedRange {
  start: Seq;
  end: Seq;
  readonly bytes = new ByteQueue();
  next: ReceivedRange | null = null;
  previous: ReceivedRange | null = null;
  /** The one that changed last before it, and the one after: the order of SACK blocks (RFC 2018 §4). */
  older: ReceivedRange | null = null;
  newer: ReceivedRange | null = null;

  constructor(start: Seq) {
    this.start = start;
    this.end = start;
  }
}

/** A range costs its first block of memory, however few its bytes are. */
const RANGE_COST = 2_048;

/**
 * Memory for what arrives ahead of gaps, which all connections of a stack share: a peer decides how much
 * that is. When it is used up, further such segments are dropped; what is next is always taken, so that
 * connections go on.
 */
export class MemoryAhead {
  used = 0;
  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }
}

/**
 * Gaps that one connection keeps track of, whatever their segments are. A segment that would open one
 * more is dropped: the peer has not been told of it and sends it again.
 */
const FEW_RANGES = 256;
/**
 * A gap more for each so many bytes that are held: a queue that overflows in slow start loses every
 * second segment of a window, and what is dropped here for its gaps is one more loss to the sender.
 * Little memory follows from tiny segments all the same …
 */
const BYTES_PER_RANGE = 1024;
/** … and little time from searching among many. */
const MOST_RANGES = 2048;

/**
 * What arrived out of order, as disjoint ranges that do not touch, lowest first. The receive window
 * bounds its bytes: only what is in the window may be inserted. Bytes that are there stay; of a segment that overlaps
 * them only the rest is taken.
 */
export class Assembler {
  #first: ReceivedRange | null = null;
  #newest: ReceivedRange | null = null;
  #count = 0;
  #bytes = 0;
  readonly #memory: MemoryAhead;

  constructor(memory: MemoryAhead) {
    this.#memory = memory;
  }

  get first(): ReceivedRange | null {
    return this.#first;
  }

  /** Where the last segment went; `older` leads to the others. */
  get newest(): ReceivedRange | null {
    return this.#newest;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether [start, end) lies in one range already. */
  covers(start: Seq, end: Seq): boolean {
    const range = this.#before(start);
    return range !== null && seqGe(range.end, end);
  }

  /** The range that holds the byte `at`, or null. */
  rangeAt(at: Seq): ReceivedRange | null {
    const range = this.#before(at);
    return range !== null && seqGt(range.end, at) ? range : null;
  }

  /** Takes bytes[from, from + length), the first of which has number `start`. */
  insert(start: Seq, bytes: Uint8Array, from: number, length: number): void {
    const memory = this.#memory;
    if (memory.used + length + RANGE_COST > memory.limit) return;
    const end = seqAdd(start, length);
    const range = this.#rangeFor(start, end);
    if (range === null) return;
    this.#renew(range);
    while (seqLt(range.end, end)) {
      const next = range.next;
      const stop = next !== null && seqLe(next.start, end) ? next.start : end;
      const at = from + seqDiff(range.end, start);
      const taken = seqDiff(stop, range.end);
      range.bytes.append(bytes, at, at + taken);
      range.end = stop;
      this.#bytes += taken;
      memory.used += taken;
      if (next !== null && stop === next.start) this.#merge(range, next);
    }
    const next = range.next;
    if (next !== null && range.end === next.start) this.#merge(range, next);
  }

  /** Removes the first range, which begins at or below `at`, and returns it; null when there is a gap. */
  takeUpTo(at: Seq): ReceivedRange | null {
    const range = this.#first;
    if (range === null || seqGt(range.start, at)) return null;
    this.#bytes -= range.bytes.length;
    this.#memory.used -= range.bytes.length;
    this.#remove(range);
    const known = Math.min(seqDiff(at, range.start), range.bytes.length);
    if (known > 0) range.bytes.drop(known);
    return range;
  }

  /** Gives its memory up; it is not to be used any more. */
  release(): void {
    this.#memory.used -= this.#bytes + this.#count * RANGE_COST;
    this.#first = null;
    this.#newest = null;
    this.#count = 0;
    this.#bytes = 0;
  }

  /**
   * The last range that begins at or before `at`. Searched from where the last segment went: in a burst
   * each continues the one before.
   */
  #before(at: Seq): ReceivedRange | null {
    let range = this.#newest;
    while (range !== null && seqGt(range.start, at)) range = range.previous;
    if (range === null) return null;
    while (range.next !== null && seqLe(range.next.start, at)) range = range.next;
    return range;
  }

  /** The range that holds or touches `start` from below, or a new empty one there; null: too many. */
  #rangeFor(start: Seq, end: Seq): ReceivedRange | null {
    const before = this.#before(start);
    if (before !== null && seqGe(before.end, start)) return before;
    const next = before === null ? this.#first : before.next;
    const joins = next !== null && seqGe(end, next.start);
    if (!joins && this.#full) return null;
    const range = new ReceivedRange(start);
    range.previous = before;
    range.next = next;
    if (before === null) this.#first = range;
    else before.next = range;
    if (next !== null) next.previous = range;
    this.#count++;
    this.#memory.used += RANGE_COST;
    return range;
  }

  get #full(): boolean {
    if (this.#count < FEW_RANGES) return false;
    return (
      this.#count >= MOST_RANGES ||
      this.#count >= FEW_RANGES + Math.trunc(this.#bytes / BYTES_PER_RANGE)
    );
  }

  #merge(range: ReceivedRange, next: ReceivedRange): void {
    range.bytes.takeAll(next.bytes);
    range.end = next.end;
    this.#remove(next);
  }

  #remove(range: ReceivedRange): void {
    if (range.previous === null) this.#first = range.next;
    else range.previous.next = range.next;
    if (range.next !== null) range.next.previous = range.previous;
    this.#forget(range);
    this.#count--;
    this.#memory.used -= RANGE_COST;
  }

  /** It has changed last. */
  #renew(range: ReceivedRange): void {
    if (this.#newest === range) return;
    this.#forget(range);
    range.older = this.#newest;
    if (this.#newest !== null) this.#newest.newer = range;
    this.#newest = range;
  }

  #forget(range: ReceivedRange): void {
    if (range.older !== null) range.older.newer = range.newer;
    if (range.newer !== null) range.newer.older = range.older;
    if (this.#newest === range) this.#newest = range.older;
    range.older = null;
    range.newer = null;
  }
}
