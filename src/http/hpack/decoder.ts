import { allocBytes, copyBytes } from "../../core/bytes.ts";
import { fieldIdAt } from "../field-id.ts";
import { COLON, CR, LF, SP } from "../octets.ts";
import { DynamicTable, ENTRY_OVERHEAD } from "./dynamic-table.ts";
import { HpackFault } from "./fault.ts";
import { nameIsValid, Pseudo, pseudoAt, startsPseudo, valueIsValid } from "./field-check.ts";
import { decodedBound, decodeHuffman } from "./huffman.ts";
import {
  STATIC_COUNT,
  STATIC_ID,
  STATIC_LINES,
  STATIC_NAME_END,
  STATIC_PSEUDO,
  STATIC_START,
} from "./static-table.ts";

/** What `next` returns beside an HpackFault. */
export const BLOCK_END = 0;
export const FIELD = 1;

/** An integer never needs more: no string and no table is that large. */
const MAX_INTEGER = 1 << 28;
/** Bits of a tag: the FieldId, the Pseudo above it, then whether name and value are well-formed. */
const PSEUDO_SHIFT = 8;
const VALID = 1 << 16;
const KEEP = 16_384;

/** Where literals are put together; shared, as a field is read before the next one is decoded. */
let scratch = allocBytes(4096);

/**
 * The decoding half of a connection's field compression (RFC 7541). `begin` a block that is whole,
 * then `next` until BLOCK_END or a fault. After FIELD the field lies at `line` as "name:
 * value\r\n", valid until the call after; nothing is allocated for it.
 *
 *     line[lineStart, nameEnd)   name       line[valueStart, lineEnd - 2)   value
 */
export class HpackDecoder {
  line: Uint8Array;
  lineStart: number;
  nameEnd: number;
  valueStart: number;
  lineEnd: number;
  /** The FieldId of a regular field. */
  id: number;
  /** A value of Pseudo. */
  pseudo: number;
  /** Name and value are as RFC 9113 §8.2.1 wants them. */
  valid: boolean;
  /** The field was marked never to be indexed (§6.2.3). */
  sensitive: boolean;
  /** Octets of the fields of this block so far, as SETTINGS_MAX_HEADER_LIST_SIZE counts them. */
  listSize: number;
  readonly table: DynamicTable;
  /** What we promised the peer: it may not set a larger table. */
  #allowed: number;
  /**
   * The smallest size promised since the peer's last update, which the next block must not exceed.
   */
  #owed: number;
  #buf: Uint8Array;
  #pos: number;
  #end: number;
  #updates: number;

  /**
   * `tableSize`: our SETTINGS_HEADER_TABLE_SIZE, once the peer has acknowledged it; 4096 before.
   */
  constructor(tableSize: number) {
    this.line = STATIC_LINES;
    this.lineStart = 0;
    this.nameEnd = 0;
    this.valueStart = 0;
    this.lineEnd = 0;
    this.id = 0;
    this.pseudo = 0;
    this.valid = true;
    this.sensitive = false;
    this.listSize = 0;
    this.table = new DynamicTable(tableSize);
    this.#allowed = tableSize;
    this.#owed = -1;
    this.#buf = STATIC_LINES;
    this.#pos = 0;
    this.#end = 0;
    this.#updates = 0;
  }

  /** The peer has acknowledged another SETTINGS_HEADER_TABLE_SIZE (§4.2). */
  allow(tableSize: number): void {
    this.#allowed = tableSize;
    if (tableSize < this.table.maxSize) this.#owed = tableSize;
  }

  begin(buf: Uint8Array, start: number, end: number): void {
    this.#buf = buf;
    this.#pos = start;
    this.#end = end;
    this.#updates = 0;
    this.listSize = 0;
    if (scratch.length > KEEP) scratch = allocBytes(4096);
  }

  /** FIELD, BLOCK_END, or an HpackFault. */
  next(): number {
    const buf = this.#buf;
    while (this.#pos < this.#end) {
      const first = buf[this.#pos]!;
      if (first >= 0x80) {
        const index = this.#integer(0x7f);
        if (index < 0) return index;
        this.sensitive = false;
        return this.#indexed(index);
      }
      if ((first & 0xe0) !== 0x20) return this.#literal(first);
      const fault = this.#sizeUpdate();
      if (fault < 0) return fault;
    }
    // §4.2: a table that was made smaller must be acknowledged at the start of the next block.
    return this.#owed >= 0 && this.#updates === 0 && this.listSize > 0
      ? HpackFault.tableSize
      : BLOCK_END;
  }

  #sizeUpdate(): number {
    if (this.listSize > 0) return HpackFault.latePlaced;
    const size = this.#integer(0x1f);
    if (size < 0) return size;
    if (size > this.#allowed || ++this.#updates > 2) return HpackFault.tableSize;
    if (this.#owed >= 0) {
      if (size > this.#owed && this.#updates === 1) return HpackFault.tableSize;
      this.#owed = -1;
    }
    this.table.resize(size);
    return 0;
  }

  #indexed(index: number): number {
    if (index <= STATIC_COUNT) {
      if (index === 0) return HpackFault.index;
      this.line = STATIC_LINES;
      this.lineStart = STATIC_START[index]!;
      this.nameEnd = STATIC_NAME_END[index]!;
      this.valueStart = this.nameEnd + 2;
      this.lineEnd = STATIC_START[index + 1]!;
      this.id = STATIC_ID[index]!;
      this.pseudo = STATIC_PSEUDO[index]!;
      this.valid = true;
      this.listSize += this.lineEnd - this.lineStart - 4 + ENTRY_OVERHEAD;
      return FIELD;
    }
    const { table } = this;
    const entry = table.inserted - (index - STATIC_COUNT);
    if (entry < table.oldest) return HpackFault.index;
    const start = table.lineStart(entry);
    const nameLength = table.nameLength(entry);
    const valueLength = table.valueLength(entry);
    const tag = table.tag(entry);
    this.line = table.bytes;
    this.lineStart = start;
    this.nameEnd = start + nameLength;
    this.valueStart = this.nameEnd + 2;
    this.lineEnd = this.valueStart + valueLength + 2;
    this.id = tag & 0xff;
    this.pseudo = (tag >> PSEUDO_SHIFT) & 0xff;
    this.valid = (tag & VALID) !== 0;
    this.listSize += nameLength + valueLength + ENTRY_OVERHEAD;
    return FIELD;
  }

  /** A literal field (§6.2) is put together in `scratch`. */
  #literal(first: number): number {
    const indexing = first >= 0x40;
    const index = this.#integer(indexing ? 0x3f : 0x0f);
    if (index < 0) return index;
    let nameEnd: number;
    let nameIsGood: boolean;
    if (index === 0) {
      nameEnd = this.#string(0);
      if (nameEnd < 0) return nameEnd;
      const pseudo = nameEnd > 0 && startsPseudo(scratch[0]!);
      this.pseudo = pseudo ? pseudoAt(scratch, 0, nameEnd) : Pseudo.none;
      nameIsGood = pseudo || nameIsValid(scratch, 0, nameEnd);
      this.id = pseudo || !nameIsGood ? 0 : fieldIdAt(scratch, 0, nameEnd);
    } else {
      const listSize = this.listSize;
      const found = this.#indexed(index);
      if (found < 0) return found;
      this.listSize = listSize;
      nameEnd = this.nameEnd - this.lineStart;
      // An entry is bad for its value, too: only the name counts here.
      nameIsGood =
        this.valid || this.pseudo !== 0 || nameIsValid(this.line, this.lineStart, this.nameEnd);
      roomFor(nameEnd + 4);
      copyBytes(this.line, this.lineStart, this.nameEnd, scratch, 0);
    }
    scratch[nameEnd] = COLON;
    scratch[nameEnd + 1] = SP;
    const valueEnd = this.#string(nameEnd + 2);
    if (valueEnd < 0) return valueEnd;
    scratch[valueEnd] = CR;
    scratch[valueEnd + 1] = LF;
    this.line = scratch;
    this.lineStart = 0;
    this.nameEnd = nameEnd;
    this.valueStart = nameEnd + 2;
    this.lineEnd = valueEnd + 2;
    this.valid = nameIsGood && valueIsValid(scratch, nameEnd + 2, valueEnd);
    this.sensitive = !indexing && (first & 0x10) !== 0;
    const valueLength = valueEnd - nameEnd - 2;
    this.listSize += nameEnd + valueLength + ENTRY_OVERHEAD;
    if (indexing) {
      const tag = this.id | (this.pseudo << PSEUDO_SHIFT) | (this.valid ? VALID : 0);
      this.table.insert(scratch, 0, nameEnd, valueLength, tag);
    }
    return FIELD;
  }

  /** Decodes a string (§5.2) to `scratch` at `at`, with room for 4 octets behind; its end there. */
  #string(at: number): number {
    if (this.#pos >= this.#end) return HpackFault.truncated;
    const huffman = this.#buf[this.#pos]! >= 0x80;
    const length = this.#integer(0x7f);
    if (length < 0) return length;
    const start = this.#pos;
    const end = start + length;
    if (end > this.#end) return HpackFault.truncated;
    this.#pos = end;
    roomFor(at + (huffman ? decodedBound(length) : length) + 4);
    if (huffman) return decodeHuffman(this.#buf, start, end, scratch, at);
    copyBytes(this.#buf, start, end, scratch, at);
    return at + length;
  }

  /** The integer at `#pos`, below the first octet's bits outside of `mask` (§5.1). */
  #integer(mask: number): number {
    const buf = this.#buf;
    let value = buf[this.#pos++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 28; shift += 7) {
      if (this.#pos >= this.#end) return HpackFault.truncated;
      const octet = buf[this.#pos++]!;
      // Five octets could carry 35 bits: those above 2^28 are refused before they are shifted out.
      if (shift === 28 && (octet & 0x7f) > 1) return HpackFault.integer;
      value += (octet & 0x7f) << shift;
      if (value > MAX_INTEGER || value < 0) return HpackFault.integer;
      if (octet < 0x80) return value;
    }
    return HpackFault.integer;
  }
}

function roomFor(length: number): void {
  if (length <= scratch.length) return;
  const grown = allocBytes(Math.max(length, scratch.length * 2));
  copyBytes(scratch, 0, scratch.length, grown, 0);
  scratch = grown;
}
