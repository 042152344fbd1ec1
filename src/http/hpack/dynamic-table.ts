import { allocBytes, copyBytes } from "../../core/bytes.ts";

/** What an entry counts beyond its octets (RFC 7541 §4.1). */
export const ENTRY_OVERHEAD = 32;
const NONE = allocBytes(0);
const NO_ENTRIES = new Int32Array(0);
/** Numbers an entry takes: where its line starts, length of name, length of value, tag. */
const STRIDE = 4;

/**
 * The dynamic table of one direction (RFC 7541 §2.3.2). Entries are kept as lines "name: value\r\n"
 * in one arena of twice the table's size, in a ring of numbers beside it. Entries are numbered from
 * 0 on in the order of insertion, for ever; the live ones are [oldest, inserted). Memory comes with
 * the first entry.
 */
export class DynamicTable {
  bytes: Uint8Array;
  /** Entries ever inserted. */
  inserted: number;
  oldest: number;
  /** Octets in use as §4.1 counts them, and their bound. */
  size: number;
  maxSize: number;
  #entries: Int32Array;
  #mask: number;
  #end: number;

  constructor(maxSize: number) {
    this.bytes = NONE;
    this.inserted = 0;
    this.oldest = 0;
    this.size = 0;
    this.maxSize = maxSize;
    this.#entries = NO_ENTRIES;
    this.#mask = 0;
    this.#end = 0;
  }

  get count(): number {
    return this.inserted - this.oldest;
  }

  lineStart(entry: number): number {
    return this.#entries[(entry & this.#mask) * STRIDE]!;
  }

  nameLength(entry: number): number {
    return this.#entries[(entry & this.#mask) * STRIDE + 1]!;
  }

  valueLength(entry: number): number {
    return this.#entries[(entry & this.#mask) * STRIDE + 2]!;
  }

  /** What was stored with the entry. */
  tag(entry: number): number {
    return this.#entries[(entry & this.#mask) * STRIDE + 3]!;
  }

  /** A new bound, at most what memory was promised for; evicts (§4.3). */
  resize(maxSize: number): void {
    if (maxSize > this.maxSize && this.bytes !== NONE) this.#regrow(maxSize);
    this.maxSize = maxSize;
    this.#evict(maxSize);
    if (maxSize === 0) this.#release();
  }

  /**
   * Inserts the line buf[start, …) "name: value\r\n", evicting first (§4.4): one that is larger
   * than the table empties it and is not kept. `buf` may not be the table's own memory.
   */
  insert(
    buf: Uint8Array,
    start: number,
    nameLength: number,
    valueLength: number,
    tag: number,
  ): boolean {
    const size = nameLength + valueLength + ENTRY_OVERHEAD;
    if (size > this.maxSize) {
      this.#evict(0);
      return false;
    }
    this.#evict(this.maxSize - size);
    if (this.bytes === NONE) this.#allocate(this.maxSize);
    const length = nameLength + valueLength + 4;
    if (this.#end + length > this.bytes.length) this.#compact();
    const at = this.#end;
    copyBytes(buf, start, start + length, this.bytes, at);
    this.#end = at + length;
    const entry = (this.inserted & this.#mask) * STRIDE;
    this.#entries[entry] = at;
    this.#entries[entry + 1] = nameLength;
    this.#entries[entry + 2] = valueLength;
    this.#entries[entry + 3] = tag;
    this.inserted++;
    this.size += size;
    return true;
  }

  #evict(bound: number): void {
    while (this.size > bound) {
      const entry = this.oldest++;
      this.size -= this.nameLength(entry) + this.valueLength(entry) + ENTRY_OVERHEAD;
    }
  }

  #allocate(maxSize: number): void {
    let slots = 2;
    while (slots * ENTRY_OVERHEAD < maxSize) slots *= 2;
    this.bytes = allocBytes(2 * maxSize);
    this.#entries = new Int32Array(slots * STRIDE);
    this.#mask = slots - 1;
    this.#end = 0;
  }

  /** Moves what is live, at most half of the arena, to its start. */
  #compact(): void {
    if (this.oldest === this.inserted) {
      this.#end = 0;
      return;
    }
    const from = this.lineStart(this.oldest);
    const end = this.#end;
    this.bytes.copyWithin(0, from, end);
    for (let entry = this.oldest; entry < this.inserted; entry++) {
      this.#entries[(entry & this.#mask) * STRIDE]! -= from;
    }
    this.#end = end - from;
  }

  #regrow(maxSize: number): void {
    const { bytes, oldest, inserted } = this;
    const entries = this.#entries;
    const mask = this.#mask;
    this.#allocate(maxSize);
    for (let entry = oldest; entry < inserted; entry++) {
      const old = (entry & mask) * STRIDE;
      const length = entries[old + 1]! + entries[old + 2]! + 4;
      copyBytes(bytes, entries[old]!, entries[old]! + length, this.bytes, this.#end);
      const at = (entry & this.#mask) * STRIDE;
      for (let i = 1; i < STRIDE; i++) this.#entries[at + i] = entries[old + i]!;
      this.#entries[at] = this.#end;
      this.#end += length;
    }
  }

  #release(): void {
    this.bytes = NONE;
    this.#entries = NO_ENTRIES;
    this.#mask = 0;
    this.#end = 0;
  }
}
