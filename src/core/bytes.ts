/**
 * Byte buffers. Interfaces speak of `Uint8Array`; these functions do the few operations that the hot
 * path needs at the speed of the platform (on Node a `Buffer` method costs 15 – 25 ns whatever the
 * length, a `subarray` and `set` twice that).
 */
interface Methods {
  copy(this: Uint8Array, dst: Uint8Array, at: number, start: number, end: number): unknown;
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, at: number, length: number): number;
}

/** What a browser has in place of Node's methods. */
const portable: Methods = {
  copy(dst, at, start, end) {
    dst.set(this.subarray(start, end), at);
  },
  latin1Slice(start, end) {
    let text = "";
    for (let i = start; i < end; i++) text += String.fromCharCode(this[i]!);
    return text;
  },
  latin1Write(text, at, length) {
    for (let i = 0; i < length; i++) this[at + i] = text.charCodeAt(i);
    return length;
  },
};

const node = typeof Buffer !== "undefined";
// Taken once: the global `Buffer` is a getter, which the optimiser does not see through.
const { copy, latin1Slice, latin1Write }: Methods = node ? Buffer.prototype : portable;

/** Fresh memory that shares its ArrayBuffer with nobody. Contents are undefined. */
export function allocBytes(length: number): Uint8Array {
  return node ? Buffer.allocUnsafeSlow(length) : new Uint8Array(length);
}

/** Copies src[start, end) to dst at `at`; the ranges must fit. */
export function copyBytes(
  src: Uint8Array,
  start: number,
  end: number,
  dst: Uint8Array,
  at: number,
): void {
  copy.call(src, dst, at, start, end);
}

/** Throws a RangeError where [start, end) is not inside `buf`: what copies it would send other bytes. */
export function checkRange(buf: Uint8Array, start: number, end: number): void {
  if (start >= 0 && start <= end && end <= buf.length) return;
  throw new RangeError(`bytes [${start}, ${end}) of a buffer of ${buf.length}`);
}

/** The bytes of buf[start, end) as a string, one character a byte. */
export function latin1(buf: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(buf, start, end);
}

/** Writes the low byte of each character of `text` at `at`; returns the position after it. */
export function writeLatin1(dst: Uint8Array, at: number, text: string): number {
  return at + latin1Write.call(dst, text, at, text.length);
}

/** `text` as bytes, one byte a character: for constants of a protocol. */
export function bytesOf(text: string): Uint8Array {
  const bytes = allocBytes(text.length);
  writeLatin1(bytes, 0, text);
  return bytes;
}
