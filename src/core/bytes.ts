/**
 * Byte buffers. Interfaces speak of `Uint8Array`; these functions do the few operations that the hot
 * path needs at the speed of the platform (on Node a `Buffer` method costs 15 – 25 ns whatever the
 * length, a `subarray` and `set` twice that).
 */
const node = typeof Buffer !== "undefined";

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
  if (node) Buffer.prototype.copy.call(src, dst, at, start, end);
  else dst.set(src.subarray(start, end), at);
}

/** The bytes of buf[start, end) as a string, one character a byte. */
export function latin1(buf: Uint8Array, start: number, end: number): string {
  if (node) return Buffer.prototype.latin1Slice.call(buf, start, end);
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(buf[i]!);
  return text;
}

/** Writes the low byte of each character of `text` at `at`; returns the position after it. */
export function writeLatin1(dst: Uint8Array, at: number, text: string): number {
  if (node) return at + Buffer.prototype.latin1Write.call(dst, text, at, text.length);
  for (let i = 0; i < text.length; i++) dst[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** `text` as bytes, one byte a character: for constants of a protocol. */
export function bytesOf(text: string): Uint8Array {
  const bytes = allocBytes(text.length);
  writeLatin1(bytes, 0, text);
  return bytes;
}
