import { allocBytes, copyBytes } from "../../core/bytes.ts";
import { FieldId } from "../field-id.ts";
import { COLON, CR, LF, SP } from "../octets.ts";
import { DynamicTable, ENTRY_OVERHEAD } from "./dynamic-table.ts";
import { encodeHuffman, huffmanLength } from "./huffman.ts";
import { writeInteger } from "./integer.ts";
import {
  hashName,
  STATIC_COUNT,
  STATIC_LINES,
  STATIC_NAME_END,
  STATIC_START,
  staticNameIndex,
} from "./static-table.ts";

/** The table that we keep at most, whatever the peer allows. */
const OWN_TABLE = 4096;
/** A field above this is not worth a large part of the table. */
const MAX_INDEXED = 1024;
/** Cookies shorter than this can be guessed octet by octet (RFC 7541 §7.1.3). */
const GUESSABLE = 20;
const SLOTS = 256;
const NONE = new Int32Array(0);

/** Octets that a field takes at most beyond its name and value. */
export const FIELD_OVERHEAD = 16;

const NEVER =
  (1 << FieldId.authorization) | (1 << FieldId.proxyAuthorization) | (1 << FieldId.setCookie);

let scratch = allocBytes(2048);

/**
 * The encoding half of a connection's field compression (RFC 7541). Writes straight to the caller's
 * output, which must have room for name, value and FIELD_OVERHEAD of each field.
 *
 * A field enters the dynamic table when it comes for the second time: what never repeats (ETags,
 * paths, identifiers) does not push out what does, and a connection with one request owns no table.
 */
export class HpackEncoder {
  readonly table: DynamicTable;
  /** By hash of a field: the entry that had it last, plus one. Checked before it is used. */
  #entries: Int32Array;
  /** By hash: a field that was seen once. */
  #seen: Int32Array;
  /** By hash of a name: an entry with that name, plus one. */
  #names: Int32Array;
  /** The table's size changed: an update of `#smallest`, then one of the size, is due (§4.2). */
  #changed: boolean;
  #smallest: number;

  constructor() {
    this.table = new DynamicTable(OWN_TABLE);
    this.#entries = NONE;
    this.#seen = NONE;
    this.#names = NONE;
    this.#changed = false;
    this.#smallest = OWN_TABLE;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  allow(tableSize: number): void {
    const size = Math.min(tableSize, OWN_TABLE);
    if (size === this.table.maxSize) return;
    this.#smallest = this.#changed ? Math.min(this.#smallest, size) : size;
    this.#changed = true;
    this.table.resize(size);
  }

  /** Starts a block; returns the position behind what that took, at most 12 octets. */
  begin(out: Uint8Array, at: number): number {
    if (!this.#changed) return at;
    this.#changed = false;
    const { maxSize } = this.table;
    if (this.#smallest < maxSize) at = writeInteger(out, at, 0x20, 5, this.#smallest);
    return writeInteger(out, at, 0x20, 5, maxSize);
  }

  /** An entry of the static table, whole. */
  static indexed(out: Uint8Array, at: number, index: number): number {
    out[at] = 0x80 | index;
    return at + 1;
  }

  /** A field with the name of a static entry and the value buf[from, end): for pseudo-headers. */
  named(
    out: Uint8Array,
    at: number,
    index: number,
    buf: Uint8Array,
    from: number,
    end: number,
  ): number {
    const start = STATIC_START[index]!;
    const nameLength = STATIC_NAME_END[index]! - start;
    return this.#field(out, at, STATIC_LINES, start, nameLength, buf, from, end, false, index);
  }

  /**
   * The field whose name is buf[start, nameEnd), in either case, and whose value is buf[from, end).
   * `never`: in no table, here or at any hop behind (§7.1.3).
   */
  field(
    out: Uint8Array,
    at: number,
    buf: Uint8Array,
    start: number,
    nameEnd: number,
    from: number,
    end: number,
    never: boolean,
  ): number {
    return this.#field(out, at, buf, start, nameEnd - start, buf, from, end, never, 0);
  }

  /** `known`: the static entry that has the name, 0 where it has to be looked for. */
  #field(
    out: Uint8Array,
    at: number,
    names: Uint8Array,
    start: number,
    nameLength: number,
    buf: Uint8Array,
    from: number,
    end: number,
    never: boolean,
    known: number,
  ): number {
    if (this.#seen === NONE) this.#allocate();
    const nameHash = hashName(names, start, start + nameLength);
    const hash = hashValue(buf, from, end, nameHash);
    const { table } = this;
    const slot = hash & (SLOTS - 1);
    const entry = this.#entries[slot]! - 1;
    if (
      !never &&
      entry >= table.oldest &&
      this.#holds(entry, hash, names, start, nameLength, buf, from, end)
    ) {
      return writeInteger(out, at, 0x80, 7, STATIC_COUNT + table.inserted - entry);
    }
    const size = nameLength + end - from + ENTRY_OVERHEAD;
    const index =
      !never && this.#seen[slot] === hash && size <= MAX_INDEXED && size <= table.maxSize;
    if (!never) this.#seen[slot] = hash;
    const nameSlot = nameHash & (SLOTS - 1);
    const listed = known || staticNameIndex(names, start, start + nameLength, nameHash);
    const name = listed !== 0 ? listed : this.#nameIndex(nameSlot, names, start, nameLength);
    if (index) at = writeInteger(out, at, 0x40, 6, name);
    else at = writeInteger(out, at, never ? 0x10 : 0, 4, name);
    if (name === 0) {
      lower(names, start, start + nameLength, nameLength);
      at = writeString(out, at, scratch, 0, nameLength);
    }
    at = writeString(out, at, buf, from, end);
    if (index) {
      this.#insert(hash, slot, nameSlot, names, start, nameLength, buf, from, end);
    }
    return at;
  }

  #insert(
    hash: number,
    slot: number,
    nameSlot: number,
    names: Uint8Array,
    start: number,
    nameLength: number,
    buf: Uint8Array,
    from: number,
    end: number,
  ): void {
    const valueLength = end - from;
    const needed = nameLength + valueLength + 4;
    lower(names, start, start + nameLength, needed);
    const line = scratch;
    copyBytes(buf, from, end, line, nameLength + 2);
    line[nameLength] = COLON;
    line[nameLength + 1] = SP;
    line[needed - 2] = CR;
    line[needed - 1] = LF;
    this.table.insert(line, 0, nameLength, valueLength, hash);
    this.#entries[slot] = this.table.inserted;
    this.#names[nameSlot] = this.table.inserted;
  }

  #holds(
    entry: number,
    hash: number,
    names: Uint8Array,
    start: number,
    nameLength: number,
    buf: Uint8Array,
    from: number,
    end: number,
  ): boolean {
    const { table } = this;
    if (table.tag(entry) !== hash || table.valueLength(entry) !== end - from) return false;
    if (table.nameLength(entry) !== nameLength) return false;
    const at = table.lineStart(entry);
    const { bytes } = table;
    for (let i = 0; i < nameLength; i++) {
      if (folded(names[start + i]!) !== bytes[at + i]) return false;
    }
    for (let i = from, j = at + nameLength + 2; i < end; i++, j++) {
      if (buf[i] !== bytes[j]) return false;
    }
    return true;
  }

  #nameIndex(slot: number, names: Uint8Array, start: number, nameLength: number): number {
    const { table } = this;
    const entry = this.#names[slot]! - 1;
    if (entry < table.oldest || table.nameLength(entry) !== nameLength) return 0;
    const at = table.lineStart(entry);
    for (let i = 0; i < nameLength; i++) {
      if (folded(names[start + i]!) !== table.bytes[at + i]) return 0;
    }
    return STATIC_COUNT + table.inserted - entry;
  }

  #allocate(): void {
    this.#seen = new Int32Array(SLOTS);
    this.#entries = new Int32Array(SLOTS);
    this.#names = new Int32Array(SLOTS);
  }
}

/**
 * Whether a field with a value of `length` octets is one that nobody should be able to guess
 * (§7.1).
 */
export function isSecret(id: FieldId, length: number): boolean {
  return ((NEVER >> id) & 1) !== 0 || (id === FieldId.cookie && length < GUESSABLE);
}

/** Folds A–Z; names are tokens, and no other of their octets changes. */
function folded(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
}

/** Puts the name in lower case to the start of `scratch`, which then has room for `room` octets. */
function lower(names: Uint8Array, start: number, end: number, room: number): void {
  if (room > scratch.length) scratch = allocBytes(2 * room);
  for (let i = start; i < end; i++) scratch[i - start] = folded(names[i]!);
}

function hashValue(buf: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + buf[i]!) | 0;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) | 1;
}

/** A string literal (§5.2), by Huffman where that is shorter. */
function writeString(
  out: Uint8Array,
  at: number,
  buf: Uint8Array,
  start: number,
  end: number,
): number {
  const coded = huffmanLength(buf, start, end);
  if (coded < end - start) {
    at = writeInteger(out, at, 0x80, 7, coded);
    return encodeHuffman(buf, start, end, out, at);
  }
  at = writeInteger(out, at, 0, 7, end - start);
  copyBytes(buf, start, end, out, at);
  return at + end - start;
}
