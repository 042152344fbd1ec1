import { allocBytes, copyBytes, latin1, writeLatin1 } from "../core/bytes.ts";
import type { ByteSink } from "../core/transport.ts";
import { type FieldId, fieldIdOf } from "./field-id.ts";
import { COLON, CR, equalsIgnoreCase, LF } from "./octets.ts";

/** Numbers a line takes in `spans`: line start, name end, value start, value end, id. */
const STRIDE = 5;
/** The id of a line that was removed. */
const REMOVED = -1;
/** Memory beyond this is given back on `clear`, so that one large head does not stay for ever. */
const KEEP = 16_384;
const NO_BYTES = allocBytes(0);
const NO_SPANS = new Int32Array(0);
const TOKEN_TEXT = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * One field section (RFC 9110 §5), kept as the lines that go on the wire. Lines lie one after another
 * in `bytes`, so the end of one is the start of the next; an edit marks lines as removed and appends
 * at the end. Text is made only where it is asked for.
 *
 * Values are latin1 strings. Indexes of lines stay valid until `clear`.
 */
export class Fields {
  /** Own memory: for a head its start line, then complete lines "Name: value\r\n". */
  bytes: Uint8Array;
  /** Lines, live or removed. */
  count: number;
  /** Octets of `bytes` in use; at least two more are always there. */
  length: number;
  /** Where the first line starts: 0, or the length of a head's start line. */
  start: number;
  /** A bit for each id that ever occurred since `clear`. */
  mask: number;
  /** A bit for each id that occurred more than once. */
  repeated: number;
  /**
   * A bit for each line that came marked as never to be indexed (RFC 7541 §7.1.3), which every hop has to
   * pass on; the last bit stands for all lines from 31 on.
   */
  sensitive: number;
  spans: Int32Array;
  #removed: number;

  constructor() {
    this.bytes = NO_BYTES;
    this.count = 0;
    this.length = 0;
    this.start = 0;
    this.mask = 0;
    this.repeated = 0;
    this.sensitive = 0;
    this.spans = NO_SPANS;
    this.#removed = 0;
  }

  /** No live line. */
  get empty(): boolean {
    return this.#removed === this.count;
  }

  clear(): void {
    this.count = 0;
    this.length = 0;
    this.start = 0;
    this.mask = 0;
    this.repeated = 0;
    this.sensitive = 0;
    this.#removed = 0;
    if (this.bytes.length > KEEP) this.bytes = NO_BYTES;
    if (this.spans.length > KEEP / 4) this.spans = NO_SPANS;
  }

  /** Case-insensitive; several lines joined with ", ", but of Set-Cookie the first (RFC 9110 §5.3). */
  get(name: string): string | undefined {
    const id = fieldIdOf(name);
    const lower = name.toLowerCase();
    let joined: string | undefined;
    for (let i = this.#find(id, lower, 0); i >= 0; i = this.#find(id, lower, i + 1)) {
      if (joined === undefined) joined = this.value(i);
      else joined += `, ${this.value(i)}`;
      if (lower === "set-cookie") break;
    }
    return joined;
  }

  getAll(name: string): string[] {
    const id = fieldIdOf(name);
    const lower = name.toLowerCase();
    const values: string[] = [];
    for (let i = this.#find(id, lower, 0); i >= 0; i = this.#find(id, lower, i + 1)) {
      values.push(this.value(i));
    }
    return values;
  }

  has(name: string): boolean {
    return this.#find(fieldIdOf(name), name.toLowerCase(), 0) >= 0;
  }

  /**
   * Replaces all lines of that name by one at the end. TypeError for a name that is no token or a value
   * with CR, LF, NUL, another control, or a character beyond latin1. White space around is dropped.
   */
  set(name: string, value: string): void {
    requireField(name, value);
    this.delete(name);
    this.#append(fieldIdOf(name), name, value);
  }

  /** Adds a line; TypeError as `set`. */
  append(name: string, value: string): void {
    requireField(name, value);
    this.#append(fieldIdOf(name), name, value);
  }

  /** Removes all lines of that name; whether there was one. */
  delete(name: string): boolean {
    const id = fieldIdOf(name);
    const lower = name.toLowerCase();
    let found = false;
    for (let i = this.#find(id, lower, 0); i >= 0; i = this.#find(id, lower, i + 1)) {
      this.remove(i);
      found = true;
    }
    return found;
  }

  /** Live lines in order, names as received. */
  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let i = 0; i < this.count; i++) {
      if (this.id(i) !== REMOVED) yield [this.name(i), this.value(i)];
    }
  }

  /** The first live line with that id, -1 for none. */
  first(id: FieldId): number {
    if (id !== 0 && (this.mask & (1 << id)) === 0) return -1;
    return this.next(id, -1);
  }

  /** The next live line with that id after line `after`, -1 for none. */
  next(id: FieldId, after: number): number {
    const spans = this.spans;
    const end = this.count * STRIDE;
    for (let at = (after + 1) * STRIDE + 4; at < end; at += STRIDE) {
      if (spans[at] === id) return (at - 4) / STRIDE;
    }
    return -1;
  }

  /** The id of a line, -1 when it was removed. */
  id(index: number): FieldId {
    return this.spans[index * STRIDE + 4]!;
  }

  name(index: number): string {
    const at = index * STRIDE;
    return latin1(this.bytes, this.spans[at]!, this.spans[at + 1]!);
  }

  nameIs(index: number, lowerCaseName: string): boolean {
    const at = index * STRIDE;
    return equalsIgnoreCase(this.bytes, this.spans[at]!, this.spans[at + 1]!, lowerCaseName);
  }

  value(index: number): string {
    const at = index * STRIDE;
    return latin1(this.bytes, this.spans[at + 2]!, this.spans[at + 3]!);
  }

  isSensitive(index: number): boolean {
    return this.sensitive !== 0 && ((this.sensitive >>> Math.min(index, 31)) & 1) !== 0;
  }

  markSensitive(index: number): void {
    this.sensitive |= 1 << Math.min(index, 31);
  }

  lineStart(index: number): number {
    return this.spans[index * STRIDE]!;
  }

  nameEnd(index: number): number {
    return this.spans[index * STRIDE + 1]!;
  }

  valueStart(index: number): number {
    return this.spans[index * STRIDE + 2]!;
  }

  valueEnd(index: number): number {
    return this.spans[index * STRIDE + 3]!;
  }

  /** Whether the whole value equals the token, letters in either case. */
  valueIs(index: number, lowerCaseToken: string): boolean {
    const at = index * STRIDE;
    return equalsIgnoreCase(this.bytes, this.spans[at + 2]!, this.spans[at + 3]!, lowerCaseToken);
  }

  remove(index: number): void {
    const at = index * STRIDE + 4;
    if (this.spans[at] === REMOVED) return;
    this.spans[at] = REMOVED;
    this.#removed++;
  }

  removeId(id: FieldId): void {
    for (let i = this.first(id); i >= 0; i = this.next(id, i)) this.remove(i);
  }

  /** Adds a complete, trusted "Name: value\r\n" with one space after the colon. */
  appendLine(line: Uint8Array, id: FieldId): void {
    const start = this.length;
    this.reserve(line.length);
    copyBytes(line, 0, line.length, this.bytes, start);
    let nameEnd = start;
    while (this.bytes[nameEnd] !== COLON) nameEnd++;
    this.length = start + line.length;
    this.addLine(start, nameEnd, nameEnd + 2, this.length - 2, id);
  }

  /** Adds a field; `nameLine` is "Name: ", and the value is trusted latin1. */
  appendField(id: FieldId, nameLine: Uint8Array, value: string): void {
    const start = this.length;
    this.reserve(nameLine.length + value.length + 2);
    copyBytes(nameLine, 0, nameLine.length, this.bytes, start);
    const valueStart = start + nameLine.length;
    this.#finishLine(start, valueStart - 2, valueStart, value, id);
  }

  /** Makes room for `more` octets beyond `length`, and two. */
  reserve(more: number): void {
    const needed = this.length + more + 2;
    if (needed <= this.bytes.length) return;
    const grown = allocBytes(roomFor(Math.max(needed, this.bytes.length * 1.5)));
    if (this.length > 0) copyBytes(this.bytes, 0, this.length, grown, 0);
    this.bytes = grown;
  }

  /** Records a line that lies, or will lie, at the end of `bytes`. */
  addLine(
    lineStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    id: FieldId,
  ): void {
    const at = this.count * STRIDE;
    if (at === this.spans.length) this.#growSpans();
    const spans = this.spans;
    spans[at] = lineStart;
    spans[at + 1] = nameEnd;
    spans[at + 2] = valueStart;
    spans[at + 3] = valueEnd;
    spans[at + 4] = id;
    this.count++;
    const bit = 1 << id;
    this.repeated |= this.mask & bit;
    this.mask |= bit;
  }

  /**
   * Copies the head or trailer section buf[start, end), its empty line included, under the lines that
   * were recorded for it; the first line lies `startLine` octets in.
   */
  load(buf: Uint8Array, start: number, end: number, startLine: number): void {
    this.reserve(end - start - 2);
    copyBytes(buf, start, end, this.bytes, 0);
    this.length = end - start - 2;
    this.start = startLine;
  }

  /** Takes over another section, start line and removals included. */
  copyFrom(other: Fields): void {
    this.clear();
    this.reserve(other.length);
    copyBytes(other.bytes, 0, other.length, this.bytes, 0);
    const used = other.count * STRIDE;
    if (this.spans.length < used) this.spans = new Int32Array(other.spans.length);
    const from = other.spans;
    const to = this.spans;
    for (let i = 0; i < used; i++) to[i] = from[i]!;
    this.count = other.count;
    this.length = other.length;
    this.start = other.start;
    this.mask = other.mask;
    this.repeated = other.repeated;
    this.sensitive = other.sensitive;
    this.#removed = other.#removed;
  }

  /** Writes the live lines, in runs of contiguous octets: an unedited section is one write. */
  writeTo(sink: ByteSink): boolean {
    return this.#writeRuns(sink, this.start, this.length);
  }

  /** Writes bytes[from, start), the live lines and the empty line that ends a head. */
  writeSection(sink: ByteSink, from: number): boolean {
    this.reserve(0);
    this.bytes[this.length] = CR;
    this.bytes[this.length + 1] = LF;
    return this.#writeRuns(sink, from, this.length + 2);
  }

  #writeRuns(sink: ByteSink, from: number, end: number): boolean {
    let above = false;
    let run = from;
    if (this.#removed > 0) {
      for (let i = 0; i < this.count; i++) {
        if (this.spans[i * STRIDE + 4] !== REMOVED) continue;
        const lineStart = this.spans[i * STRIDE]!;
        if (lineStart > run) above = sink.write(this.bytes, run, lineStart);
        run = this.#lineEnd(i);
      }
    }
    return end > run ? sink.write(this.bytes, run, end) : above;
  }

  #lineEnd(index: number): number {
    return index + 1 < this.count ? this.spans[(index + 1) * STRIDE]! : this.length;
  }

  /** The first live line of that name from index `from` on; `id` and `lower` both name it. */
  #find(id: FieldId, lower: string, from: number): number {
    if (id !== 0) return this.next(id, from - 1);
    for (let i = this.next(0, from - 1); i >= 0; i = this.next(0, i)) {
      if (this.nameIs(i, lower)) return i;
    }
    return -1;
  }

  #append(id: FieldId, name: string, value: string): void {
    const trimmed = value.replace(/^[\t ]+|[\t ]+$/g, "");
    const start = this.length;
    this.reserve(name.length + trimmed.length + 4);
    const nameEnd = writeLatin1(this.bytes, start, name);
    writeLatin1(this.bytes, nameEnd, ": ");
    this.#finishLine(start, nameEnd, nameEnd + 2, trimmed, id);
  }

  #finishLine(
    start: number,
    nameEnd: number,
    valueStart: number,
    value: string,
    id: FieldId,
  ): void {
    const valueEnd = writeLatin1(this.bytes, valueStart, value);
    this.bytes[valueEnd] = CR;
    this.bytes[valueEnd + 1] = LF;
    this.length = valueEnd + 2;
    this.addLine(start, nameEnd, valueStart, valueEnd, id);
  }

  #growSpans(): void {
    const grown = new Int32Array(Math.max(12 * STRIDE, this.spans.length * 2));
    grown.set(this.spans);
    this.spans = grown;
  }
}

function requireField(name: string, value: string): void {
  if (!TOKEN_TEXT.test(name)) throw new TypeError(`not a field name: ${JSON.stringify(name)}`);
  if (typeof value !== "string" || !VALUE_TEXT.test(value)) {
    throw new TypeError(`not a value for field ${name}: ${JSON.stringify(value)}`);
  }
}

/** Sizes come in steps of 128 octets below 1 KiB and of 1 KiB above. */
function roomFor(length: number): number {
  const step = length < 1024 ? 127 : 1023;
  return (Math.ceil(length) + step) & ~step;
}
