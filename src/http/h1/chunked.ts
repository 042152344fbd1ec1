import { Fields } from "../fields.ts";
import { CLASS, CR, DIGIT, HEX, HTAB, LF, SP, TOKEN, VALUE } from "../octets.ts";
import { Fault } from "./fault.ts";
import { scanFieldLines } from "./field-lines.ts";
import type { H1Limits } from "./limits.ts";
import { MORE, OVERFLOW, Section } from "./section.ts";
import { dropForbiddenTrailers } from "./trailer-fields.ts";

/** Results of `receive` that are no faults. */
export const CHUNK_DATA = 1;
export const CHUNKS_END = 2;

/** Hex digits of a chunk size, leading zeros included. */
const MAX_DIGITS = 16;
/** Octets of extensions: of one chunk, and of a whole body (each costs us and buys nobody anything). */
const MAX_EXTENSION = 256;
const MAX_EXTENSIONS = 8192;

/** Where in the grammar of RFC 9112 §7.1 the next octet stands. */
const At = {
  sizeStart: 0,
  size: 1,
  extNameStart: 2,
  extName: 3,
  extNameSpace: 4,
  extValueStart: 5,
  extValue: 6,
  extQuoted: 7,
  extEscape: 8,
  extQuoteEnd: 9,
  extValueSpace: 10,
  sizeLf: 11,
  data: 12,
  dataCr: 13,
  dataLf: 14,
  trailers: 15,
  ended: 16,
} as const;

/** Decodes one chunked body (RFC 9112 §7.1): sizes, dropped extensions, data in place, trailers. */
export class ChunkedDecoder {
  /** Consumed up to here. */
  pos: number;
  /** The piece of a CHUNK_DATA, in the caller's buffer. */
  dataStart: number;
  dataEnd: number;
  /** After CHUNKS_END: the trailers, null when none are left. */
  trailers: Fields | null;
  readonly #limits: H1Limits;
  readonly #section: Section;
  #fields: Fields | null;
  #at: number;
  /** The size being read, then what is left of the chunk. */
  #size: number;
  #digits: number;
  #extension: number;
  #extensions: number;
  #total: number;

  constructor(limits: H1Limits) {
    this.pos = 0;
    this.dataStart = 0;
    this.dataEnd = 0;
    this.trailers = null;
    this.#limits = limits;
    this.#section = new Section();
    this.#fields = null;
    this.#at = At.sizeStart;
    this.#size = 0;
    this.#digits = 0;
    this.#extension = 0;
    this.#extensions = 0;
    this.#total = 0;
  }

  /** Before the first octet of a body. */
  begin(): void {
    this.trailers = null;
    this.#at = At.sizeStart;
    this.#size = 0;
    this.#digits = 0;
    this.#extension = 0;
    this.#extensions = 0;
    this.#total = 0;
  }

  /** The next piece, CHUNKS_END, Fault.incomplete when all input was consumed, or another Fault. */
  receive(buf: Uint8Array, start: number, end: number): number {
    let pos = start;
    while (pos < end) {
      if (this.#at === At.data) return this.#takeData(pos, end);
      if (this.#at === At.trailers) return this.#takeTrailers(buf, pos, end);
      const fault = this.#step(buf[pos++]!);
      if (fault !== 0) return fault;
    }
    this.pos = end;
    return Fault.incomplete;
  }

  #takeData(pos: number, end: number): number {
    const stop = Math.min(end, pos + this.#size);
    this.dataStart = pos;
    this.dataEnd = stop;
    this.pos = stop;
    this.#size -= stop - pos;
    if (this.#size === 0) this.#at = At.dataCr;
    return CHUNK_DATA;
  }

  #step(octet: number): number {
    switch (this.#at) {
      case At.sizeStart:
      case At.size:
        return this.#stepSize(octet);
      case At.sizeLf:
        return octet === LF ? this.#sizeEnded() : Fault.chunkSize;
      case At.dataCr:
        if (octet !== CR) return Fault.chunkEnd;
        this.#at = At.dataLf;
        return 0;
      case At.dataLf:
        if (octet !== LF) return Fault.chunkEnd;
        this.#at = At.sizeStart;
        return 0;
      default:
        return this.#stepExtension(octet);
    }
  }

  #stepSize(octet: number): number {
    if ((CLASS[octet]! & HEX) !== 0) {
      if (++this.#digits > MAX_DIGITS) return Fault.chunkSize;
      const digit = (CLASS[octet]! & DIGIT) !== 0 ? octet - 0x30 : (octet | 0x20) - 0x57;
      this.#size = this.#size * 16 + digit;
      this.#at = At.size;
      return this.#size > Number.MAX_SAFE_INTEGER ? Fault.chunkSize : 0;
    }
    if (this.#at === At.sizeStart) return Fault.chunkSize;
    if (octet === CR) this.#at = At.sizeLf;
    else if (octet === 0x3b) this.#at = At.extNameStart;
    else return Fault.chunkSize;
    return 0;
  }

  #sizeEnded(): number {
    this.#digits = 0;
    this.#extension = 0;
    if (this.#size === 0) {
      this.#at = At.trailers;
      this.#section.open(true);
      return 0;
    }
    this.#total += this.#size;
    this.#at = At.data;
    return this.#total > this.#limits.body ? Fault.bodyTooLarge : 0;
  }

  /** chunk-ext of RFC 9112 §7.1.1: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ). */
  #stepExtension(octet: number): number {
    if (++this.#extension > MAX_EXTENSION || ++this.#extensions > MAX_EXTENSIONS) {
      return Fault.chunkExtensionTooLong;
    }
    const next = extensionStep(this.#at, octet);
    if (next < 0) return Fault.chunkExtension;
    this.#at = next;
    return 0;
  }

  #takeTrailers(buf: Uint8Array, start: number, end: number): number {
    const section = this.#section;
    const stop = section.take(buf, start, end, this.#limits.head);
    if (stop === OVERFLOW) return Fault.trailersTooLarge;
    if (stop === MORE) {
      this.pos = end;
      return Fault.incomplete;
    }
    this.pos = stop;
    if (section.length > 2) {
      const fault = this.#readTrailers(section);
      if (fault !== 0) return fault;
    } else if (section.bytes[0] !== CR || section.bytes[1] !== LF) {
      return section.bytes[0] === LF ? Fault.bareLf : Fault.bareCr;
    }
    section.release();
    this.#at = At.ended;
    return CHUNKS_END;
  }

  #readTrailers(section: Section): number {
    const fields = (this.#fields ??= new Fields());
    fields.clear();
    const stop = scanFieldLines(section.bytes, 0, section.length, 0, fields, this.#limits.fields);
    if (stop !== section.length) return stop < Fault.incomplete ? stop : Fault.bareCr;
    fields.load(section.bytes, 0, stop, 0);
    dropForbiddenTrailers(fields);
    if (fields.empty) return 0;
    this.trailers = fields;
    return 0;
  }
}

/** The state after `octet` within a chunk extension, -1 when it cannot stand there. */
function extensionStep(at: number, octet: number): number {
  const token = (CLASS[octet]! & TOKEN) !== 0;
  const space = octet === SP || octet === HTAB;
  switch (at) {
    case At.extNameStart:
      return token ? At.extName : space ? at : -1;
    case At.extName:
    case At.extNameSpace:
      if (token) return at === At.extName ? at : -1;
      if (octet === 0x3d) return At.extValueStart;
      if (space) return At.extNameSpace;
      return afterExtension(octet, at === At.extName);
    case At.extValueStart:
      return token ? At.extValue : octet === 0x22 ? At.extQuoted : space ? at : -1;
    case At.extQuoted:
      if (octet === 0x22) return At.extQuoteEnd;
      return octet === 0x5c ? At.extEscape : (CLASS[octet]! & VALUE) !== 0 ? at : -1;
    case At.extEscape:
      return (CLASS[octet]! & VALUE) !== 0 ? At.extQuoted : -1;
    default: // extValue, extQuoteEnd, extValueSpace
      if (token) return at === At.extValue ? at : -1;
      if (space) return At.extValueSpace;
      return afterExtension(octet, at !== At.extValueSpace);
  }
}

/** White space may stand before ";" but not before the line's end. */
function afterExtension(octet: number, mayEnd: boolean): number {
  if (octet === 0x3b) return At.extNameStart;
  return octet === CR && mayEnd ? At.sizeLf : -1;
}
