import { skipName } from "./dns-name.ts";
import { NO_DATA } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** RFC 1035 §4.1.1: the header's fields, and how many records each section has. */
const ID = 0;
const FLAGS = 2;
const COUNTS = 4;
export const DNS_HEADER_LENGTH = 12;

/** RFC 1035 §4.1.1; AD and CD: RFC 4035 §3.1.6, §3.2.2. */
export const DnsFlag = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  authenticData: 0x0020,
  checkingDisabled: 0x0010,
} as const;

/** In the order of the message. */
export const DNS_SECTIONS = ["questions", "answers", "authorities", "additionals"] as const;
export type DnsSection = 0 | 1 | 2 | 3;

/** A DNS message in somebody else's bytes, without the length that precedes it over TCP. */
export class DnsView {
  dv: DataView = NO_DATA;
  start = 0;
  /** Where the last record ends; bytes after it are left alone. */
  end = 0;
  readonly #walk = new DnsCursor();

  /** Walks all records once, so that cursors over an `ok` message stay inside of it. */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    if (end - start < DNS_HEADER_LENGTH) return "truncated";
    const walk = this.#walk;
    walk.rewind(dv, start, end);
    while (walk.next());
    if (walk.failure !== "ok") return walk.failure;
    this.dv = dv;
    this.start = start;
    this.end = walk.at;
    return "ok";
  }

  get id(): number {
    return this.dv.getUint16(this.start + ID);
  }

  /** The bits of `DnsFlag`, and in between those of `opcode` and `rcode`. */
  get flags(): number {
    return this.dv.getUint16(this.start + FLAGS);
  }

  get isResponse(): boolean {
    return (this.flags & DnsFlag.response) !== 0;
  }

  /** TC: the answer did not fit, ask again over TCP. */
  get isTruncated(): boolean {
    return (this.flags & DnsFlag.truncated) !== 0;
  }

  get opcode(): number {
    return (this.flags >>> 11) & 0xf;
  }

  /** The low four bits; the others are in the OPT record (RFC 6891 §6.1.3). */
  get rcode(): number {
    return this.flags & 0xf;
  }

  count(section: DnsSection): number {
    return this.dv.getUint16(this.start + COUNTS + 2 * section);
  }
}

/**
 * Steps through questions and records. One object serves any number of messages:
 * `rewind(view.dv, view.start, view.end)`, then `next()` until it says false.
 */
export class DnsCursor {
  #dv: DataView = NO_DATA;
  #start = 0;
  #end = 0;
  #left = 0;
  /** Where the next record starts. */
  at = 0;
  section: DnsSection = 0;
  nameStart = 0;
  /** Where type and class lie: right after the name. */
  #fixed = 0;
  dataStart = 0;
  dataEnd = 0;
  /** Why `next` said false: `ok` when there are no more records. */
  failure: WireStatus = "ok";

  /** The range must hold a header. */
  rewind(dv: DataView, start: number, end: number): void {
    this.#dv = dv;
    this.#start = start;
    this.#end = end;
    this.at = start + DNS_HEADER_LENGTH;
    this.section = 0;
    this.#left = dv.getUint16(start + COUNTS);
    this.nameStart = this.at;
    this.#fixed = this.at;
    this.dataStart = this.at;
    this.dataEnd = this.at;
    this.failure = "ok";
  }

  /** To the next question or record; false at the end and at the first that is broken. */
  next(): boolean {
    while (this.#left === 0) {
      if (this.section === 3) return false;
      this.section++;
      this.#left = this.#dv.getUint16(this.#start + COUNTS + 2 * this.section);
    }
    const fixed = skipName(this.#dv, this.at, this.#end);
    if (fixed < 0) return this.#fail(fixed === -2 ? "malformed" : "truncated");
    const dataStart = fixed + (this.section === 0 ? 4 : 10);
    if (dataStart > this.#end) return this.#fail("truncated");
    const dataEnd = this.section === 0 ? dataStart : dataStart + this.#dv.getUint16(fixed + 8);
    if (dataEnd > this.#end) return this.#fail("truncated");
    this.nameStart = this.at;
    this.#fixed = fixed;
    this.dataStart = dataStart;
    this.dataEnd = dataEnd;
    this.at = dataEnd;
    this.#left--;
    return true;
  }

  get type(): number {
    return this.#dv.getUint16(this.#fixed);
  }

  get class(): number {
    return this.#dv.getUint16(this.#fixed + 2);
  }

  /** In seconds, for records. RFC 2181 §8: with the top bit set it counts as zero. */
  get ttl(): number {
    const ttl = this.rawTtl;
    return ttl > 0x7fff_ffff ? 0 : ttl;
  }

  /** The field as it is: OPT keeps flags in it. */
  get rawTtl(): number {
    return this.#dv.getUint32(this.#fixed + 4);
  }

  #fail(failure: WireStatus): false {
    this.failure = failure;
    this.#left = 0;
    this.section = 3;
    return false;
  }
}
