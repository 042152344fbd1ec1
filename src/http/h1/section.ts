import { allocBytes, copyBytes } from "../../core/bytes.ts";
import { CR, LF } from "../octets.ts";

/** Where in a line the last octet stands. */
const Place = { inLine: 0, afterCr: 1, lineStart: 2, emptyCr: 3 } as const;

/** What `take` returns in place of a position. */
export const MORE = -1;
export const OVERFLOW = -2;

/**
 * Keeps the octets of a head or trailer section that comes in pieces, until it is there whole. Memory
 * is taken with the first piece and given back with the last. Each octet is looked at once here, and
 * once by the parser at the end, however small the pieces are.
 */
export class Section {
  bytes: Uint8Array;
  length: number;
  /** Length of the first line with its end, -1 before that came. */
  firstLine: number;
  #place: number;

  constructor() {
    this.bytes = NONE;
    this.length = 0;
    this.firstLine = -1;
    this.#place = Place.inLine;
  }

  /** Before the first piece; `atLineStart` where an empty line alone would be a whole section. */
  open(atLineStart: boolean): void {
    this.length = 0;
    this.firstLine = -1;
    this.#place = atLineStart ? Place.lineStart : Place.inLine;
  }

  /**
   * Takes from buf[start, end) up to the end of the section. Returns the position after it when the
   * section is complete, or when a CR or LF stands alone, so that a parser must fail on it; MORE when
   * all was taken; OVERFLOW when that would pass `limit` octets.
   */
  take(buf: Uint8Array, start: number, end: number, limit: number): number {
    const bound = Math.min(end, start + limit - this.length);
    let pos = start;
    let done = false;
    while (pos < bound && !done) done = this.#step(buf[pos]!, ++pos - start);
    this.#keep(buf, start, pos);
    if (done) return pos;
    return pos < end || this.length >= limit ? OVERFLOW : MORE;
  }

  release(): void {
    this.bytes = NONE;
    this.length = 0;
  }

  #step(octet: number, taken: number): boolean {
    const place = this.#place;
    if (octet === LF) {
      if (place !== Place.afterCr) return true; // the empty line, or a bare LF
      this.#place = Place.lineStart;
      if (this.firstLine < 0) this.firstLine = this.length + taken;
      return false;
    }
    if (place === Place.afterCr || place === Place.emptyCr) return true; // a bare CR
    if (octet === CR) this.#place = place === Place.lineStart ? Place.emptyCr : Place.afterCr;
    else this.#place = Place.inLine;
    return false;
  }

  #keep(buf: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const grown = allocBytes(Math.max(256, needed, this.bytes.length * 2));
      if (this.length > 0) copyBytes(this.bytes, 0, this.length, grown, 0);
      this.bytes = grown;
    }
    copyBytes(buf, start, end, this.bytes, this.length);
    this.length = needed;
  }
}

const NONE = allocBytes(0);
