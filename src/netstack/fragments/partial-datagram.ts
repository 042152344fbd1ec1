import { allocBytes, copyBytes } from "../../core/bytes.ts";
import type { Instant } from "../../core/time.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";

/** What a piece and a datagram are charged beside their bytes, so that tiny fragments are not free. */
const PIECE_COST = 128;
export const DATAGRAM_COST = 512;

/** - `duplicate`: the same bytes were there; - `conflict`: contradicts what was there (RFC 5722 §4). */
export type PieceVerdict = "kept" | "duplicate" | "conflict";

/** A datagram of which not all fragments are there. */
export class PartialDatagram {
  readonly hash: number;
  readonly version: 4 | 6;
  readonly protocol: number;
  readonly identification: number;
  /** The interface's index where addresses mean something there only; else 0. */
  readonly scope: number;
  readonly s0: number;
  readonly s1: number;
  readonly s2: number;
  readonly s3: number;
  readonly d0: number;
  readonly d1: number;
  readonly d2: number;
  readonly d3: number;
  readonly interface: Interface;
  readonly expiresAt: Instant;
  /** With the same hash. */
  chain: PartialDatagram | null = null;
  older: PartialDatagram | null = null;
  newer: PartialDatagram | null = null;
  linkGroup = false;
  /** Overlapping fragments came: what is still to come is dropped as well, until the time is over. */
  discarded = false;
  pieces = 0;
  /** Charged against `limits.fragmentBytes`. */
  cost = DATAGRAM_COST;
  /** A bit for each ECN codepoint that a fragment had. */
  ecn = 0;
  /** Of the first fragment: where its data start in `first.bytes`. 0: it has not come. */
  headerLength = 0;
  /** Of the first fragment: the field that is to say what follows the headers (IPv6). */
  nextHeaderAt = 0;
  nextHeader = 0;
  #first: Piece | null = null;
  #last: Piece | null = null;
  #received = 0;
  #total = -1;

  constructor(
    hash: number,
    inbound: Inbound,
    protocol: number,
    identification: number,
    scope: number,
    expiresAt: Instant,
  ) {
    this.hash = hash;
    this.version = inbound.version;
    this.protocol = protocol;
    this.identification = identification;
    this.scope = scope;
    this.s0 = inbound.s0;
    this.s1 = inbound.s1;
    this.s2 = inbound.s2;
    this.s3 = inbound.s3;
    this.d0 = inbound.d0;
    this.d1 = inbound.d1;
    this.d2 = inbound.d2;
    this.d3 = inbound.d3;
    this.interface = inbound.interface;
    this.expiresAt = expiresAt;
  }

  matches(inbound: Inbound, protocol: number, identification: number, scope: number): boolean {
    return (
      this.identification === identification &&
      this.version === inbound.version &&
      this.protocol === protocol &&
      this.scope === scope &&
      this.s3 === inbound.s3 &&
      this.s2 === inbound.s2 &&
      this.s1 === inbound.s1 &&
      this.s0 === inbound.s0 &&
      this.d3 === inbound.d3 &&
      this.d2 === inbound.d2 &&
      this.d1 === inbound.d1 &&
      this.d0 === inbound.d0
    );
  }

  get complete(): boolean {
    return this.#received === this.#total;
  }

  /** Bytes of data, once `complete`. */
  get total(): number {
    return this.#total;
  }

  /** The first fragment as it came, headers and all, or null. */
  get first(): Uint8Array | null {
    return this.headerLength > 0 ? this.#first!.bytes : null;
  }

  /** Keeps a copy of bytes[start, end), of which the data are [dataStart, end), at `offset`. */
  add(
    offset: number,
    more: boolean,
    bytes: Uint8Array,
    start: number,
    dataStart: number,
    end: number,
  ): PieceVerdict {
    const stop = offset + end - dataStart;
    if (!this.#agreesOnTotal(stop, more)) return "conflict";
    let before = this.#last;
    while (before !== null && before.offset > offset) before = before.previous;
    const after = before === null ? this.#first : before.next;
    if (before !== null && before.stop > offset) {
      const same = before.offset === offset && before.stop === stop;
      return same && before.holds(bytes, dataStart) ? "duplicate" : "conflict";
    }
    if (after !== null && after.offset < stop) return "conflict";
    // Of the first fragment the headers are kept, too.
    this.#link(
      new Piece(offset, stop, bytes, offset === 0 ? start : dataStart, end),
      before,
      after,
    );
    if (!more) this.#total = stop;
    return "kept";
  }

  /** Writes the data, once `complete`, to `into` at `at`. */
  copyTo(into: Uint8Array, at: number): void {
    for (let piece = this.#first; piece !== null; piece = piece.next) {
      const { bytes, dataStart, offset } = piece;
      copyBytes(bytes, dataStart, bytes.length, into, at + offset);
    }
  }

  /** Forgets the data; what remains is the memory that there was a conflict. */
  discard(): void {
    this.discarded = true;
    this.#first = null;
    this.#last = null;
    this.headerLength = 0;
    this.cost = DATAGRAM_COST;
  }

  #agreesOnTotal(stop: number, more: boolean): boolean {
    if (this.#total >= 0) return more ? stop < this.#total : stop === this.#total;
    return more || this.#last === null || this.#last.stop <= stop;
  }

  #link(piece: Piece, before: Piece | null, after: Piece | null): void {
    piece.previous = before;
    piece.next = after;
    if (before === null) this.#first = piece;
    else before.next = piece;
    if (after === null) this.#last = piece;
    else after.previous = piece;
    this.#received += piece.stop - piece.offset;
    this.pieces++;
    this.cost += pieceCost(piece.bytes.length);
  }
}

export const pieceCost = (bytes: number): number => bytes + PIECE_COST;

class Piece {
  readonly offset: number;
  readonly stop: number;
  readonly bytes: Uint8Array;
  /** In `bytes`. */
  readonly dataStart: number;
  previous: Piece | null = null;
  next: Piece | null = null;

  constructor(offset: number, stop: number, from: Uint8Array, start: number, end: number) {
    this.offset = offset;
    this.stop = stop;
    this.bytes = allocBytes(end - start);
    this.dataStart = end - start - (stop - offset);
    copyBytes(from, start, end, this.bytes, 0);
  }

  /** Whether other[at, …) are the same data, as many as the piece has. */
  holds(other: Uint8Array, at: number): boolean {
    const { bytes, dataStart } = this;
    for (let i = dataStart; i < bytes.length; i++) {
      if (bytes[i] !== other[at + i - dataStart]) return false;
    }
    return true;
  }
}
