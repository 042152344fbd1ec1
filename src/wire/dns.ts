import { type DnsData, DnsType, dataType, emitData, parseData } from "./dns-data.ts";
import { type Edns, emitEdns, parseEdns } from "./dns-edns.ts";
import { type DnsName, readName } from "./dns-name.ts";
import { DnsCursor, DnsFlag, type DnsView } from "./dns-view.ts";
import { DnsWriter } from "./dns-writer.ts";
import { hasRoom } from "./octets.ts";

export interface DnsQuestion {
  readonly name: DnsName;
  readonly type: number;
  readonly class: number;
}

export interface DnsRecord {
  readonly name: DnsName;
  readonly class: number;
  /** In seconds, below 2³¹. */
  readonly ttl: number;
  readonly data: DnsData;
}

/** A DNS message (RFC 1035 §4.1). */
export interface DnsRepr {
  readonly id: number;
  /** Bits of `DnsFlag`. */
  readonly flags: number;
  readonly opcode: number;
  /** 12 bits; above 15 only with `edns` (RFC 6891 §6.1.3). */
  readonly rcode: number;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  /** Without the OPT record, which is `edns`. */
  readonly additionals: readonly DnsRecord[];
  readonly edns: Edns | null;
}

/** Null when a name or the data of a known type is broken, or there are two OPT records. */
export function parseDns(view: DnsView): DnsRepr | null {
  const questions: DnsQuestion[] = [];
  const sections: [DnsRecord[], DnsRecord[], DnsRecord[]] = [[], [], []];
  const cursor = new DnsCursor();
  let edns: Edns | null = null;
  let highRcode = 0;
  cursor.rewind(view.dv, view.start, view.end);
  while (cursor.next()) {
    const name = readName(view.dv, view.start, cursor.nameStart, view.end);
    if (name === null) return null;
    if (cursor.section === 0) {
      questions.push({ name, type: cursor.type, class: cursor.class });
    } else if (cursor.type === DnsType.OPT) {
      // RFC 6891 §6.1.1: one at most, in the additional section, of the root.
      if (edns !== null || cursor.section !== 3 || name !== ".") return null;
      edns = parseEdns(view.dv, cursor);
      if (edns === null) return null;
      highRcode = cursor.rawTtl >>> 24;
    } else {
      const record = parseRecord(view, cursor, name);
      if (record === null) return null;
      sections[cursor.section - 1]!.push(record);
    }
  }
  const [answers, authorities, additionals] = sections;
  return {
    id: view.id,
    flags: view.flags & FLAG_BITS,
    opcode: view.opcode,
    rcode: (highRcode << 4) | view.rcode,
    questions,
    answers,
    authorities,
    additionals,
    edns,
  };
}

/** In octets, names compressed as `emitDns` does. */
export function dnsLength(repr: DnsRepr): number {
  const writer = new DnsWriter(null, 0);
  writeMessage(repr, writer);
  return writer.at;
}

/**
 * Writes the message and returns its end; -1 for want of room, or when something is too long for the
 * format (a text above 255 octets, data or message above 65,535).
 */
export function emitDns(repr: DnsRepr, dv: DataView, start: number): number {
  const measure = new DnsWriter(null, 0);
  writeMessage(repr, measure);
  if (measure.refused || measure.at > 0xffff || !hasRoom(dv, start, measure.at)) return -1;
  const writer = new DnsWriter(dv, start);
  writeMessage(repr, writer);
  return writer.at;
}

const FLAG_BITS = Object.values(DnsFlag).reduce((all, bit) => all | bit, 0);

function parseRecord(view: DnsView, cursor: DnsCursor, name: DnsName): DnsRecord | null {
  const range = {
    dv: view.dv,
    base: view.start,
    start: cursor.dataStart,
    end: cursor.dataEnd,
  };
  const data = parseData(cursor.type, cursor.class, range);
  return data === null ? null : { name, class: cursor.class, ttl: cursor.ttl, data };
}

function writeMessage(repr: DnsRepr, writer: DnsWriter): void {
  writer.u16(repr.id);
  writer.u16((repr.flags & FLAG_BITS) | ((repr.opcode & 0xf) << 11) | (repr.rcode & 0xf));
  const additionals = repr.additionals.length + (repr.edns === null ? 0 : 1);
  for (const count of [repr.questions.length, repr.answers.length, repr.authorities.length]) {
    writer.u16(count);
  }
  writer.u16(additionals);
  for (const question of repr.questions) {
    writer.compressedName(question.name);
    writer.u16(question.type);
    writer.u16(question.class);
  }
  for (const record of repr.answers) writeRecord(record, writer);
  for (const record of repr.authorities) writeRecord(record, writer);
  // Before the others, so that a signature (RFC 8945 §5.1) stays the last.
  if (repr.edns !== null) emitEdns(repr.edns, repr.rcode >>> 4, writer);
  for (const record of repr.additionals) writeRecord(record, writer);
}

function writeRecord(record: DnsRecord, writer: DnsWriter): void {
  writer.compressedName(record.name);
  writer.u16(dataType(record.data));
  writer.u16(record.class);
  writer.u32(record.ttl);
  const opened = writer.openLength();
  emitData(record.data, writer);
  writer.closeLength(opened);
}
