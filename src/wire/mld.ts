import { pseudoSumWords, verifies } from "./checksum.ts";
import { fillIcmpv6, Icmpv6Type } from "./icmpv6.ts";
import { type Ipv6Words, readIpv6, writeIpv6 } from "./ipv6-address.ts";
import { hasRoom, NO_DATA } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** Multicast listener discovery, ICMPv6 header included: 1 (RFC 2710 §3), 2 (RFC 3810 §5). */
const TYPE = 0;
const CODE = 1;
const REST = 4;
const MAX_RESPONSE = 4;
const GROUP = 8;
const V1_LENGTH = 24;
/** Of queries of version 2. */
const QUERY_FLAGS = 24;
const QUERY_INTERVAL = 25;
const QUERY_SOURCE_COUNT = 26;
const QUERY_SOURCES = 28;
/** Of reports of version 2. */
const RECORD_COUNT = 6;
const RECORDS = 8;
/** Of a group record in them. */
const RECORD_TYPE = 0;
const AUXILIARY_LENGTH = 1;
const SOURCE_COUNT = 2;
const RECORD_GROUP = 4;
const RECORD_SOURCES = 20;

export class MldView {
  dv: DataView = NO_DATA;
  start = 0;
  end = 0;

  /** On an ICMPv6 message of type 130 to 132 or 143; sources and records lie within the range. */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    const length = end - start;
    if (length < RECORDS) return "truncated";
    const type = dv.getUint8(start + TYPE);
    if (type === Icmpv6Type.listenerReportV2) {
      let at = start + RECORDS;
      for (let left = dv.getUint16(start + RECORD_COUNT); left > 0; left--) {
        if (end - at < RECORD_SOURCES) return "truncated";
        at += recordLength(dv, at);
        if (at > end) return "truncated";
      }
    } else if (type >= Icmpv6Type.listenerQuery && type <= Icmpv6Type.listenerDone) {
      if (length < V1_LENGTH) return "truncated";
      if (type === Icmpv6Type.listenerQuery && length > V1_LENGTH) {
        // RFC 3810 §8.1: 24 octets are version 1, 28 or more version 2, others are discarded.
        if (length < QUERY_SOURCES) return "malformed";
        const sources = dv.getUint16(start + QUERY_SOURCE_COUNT);
        if (QUERY_SOURCES + 16 * sources > length) return "truncated";
      }
    } else {
      return "unsupported";
    }
    this.dv = dv;
    this.start = start;
    this.end = end;
    return "ok";
  }

  /** `Icmpv6Type`. */
  get type(): number {
    return this.dv.getUint8(this.start + TYPE);
  }

  /** 1 or 2. */
  get version(): number {
    const { type } = this;
    if (type === Icmpv6Type.listenerReportV2) return 2;
    return type === Icmpv6Type.listenerQuery && this.end - this.start >= QUERY_SOURCES ? 2 : 1;
  }

  /** Where the group's address is; −1 in reports of version 2. `::` in a general query. */
  get groupAt(): number {
    return this.type === Icmpv6Type.listenerReportV2 ? -1 : this.start + GROUP;
  }

  /** Of queries: milliseconds, as a code in version 2 (`decodeTime16`). */
  get maxResponse(): number {
    return this.dv.getUint16(this.start + MAX_RESPONSE);
  }

  checksumVerifies(pseudoSum: number): boolean {
    return verifies(this.dv, this.start, this.end, pseudoSum);
  }
}

export interface MldGroupRecord {
  /** `GroupRecordType` of igmp.ts: the same numbers (RFC 3810 §5.2.12). */
  readonly type: number;
  readonly group: Ipv6Words;
  readonly sources: readonly Ipv6Words[];
}

export type MldRepr =
  /** Milliseconds, 16 bits. */
  | { readonly kind: "query"; readonly group: Ipv6Words; readonly maxResponse: number }
  | {
      readonly kind: "query-v2";
      readonly group: Ipv6Words;
      /** A code: `encodeTime16` of milliseconds. */
      readonly maxResponse: number;
      readonly suppress: boolean;
      /** 0 to 7. */
      readonly robustness: number;
      /** A code: `encodeTime8` of seconds. */
      readonly interval: number;
      readonly sources: readonly Ipv6Words[];
    }
  | { readonly kind: "report" | "done"; readonly group: Ipv6Words }
  | { readonly kind: "report-v2"; readonly records: readonly MldGroupRecord[] };

/** Null when the checksum is wrong for these addresses. Auxiliary data of records is left out. */
export function parseMld(view: MldView, source: Ipv6Words, destination: Ipv6Words): MldRepr | null {
  const { dv, start, end, maxResponse } = view;
  if (!view.checksumVerifies(pseudoSumWords(source, destination, 58, end - start))) return null;
  if (view.groupAt < 0) return { kind: "report-v2", records: readRecords(dv, start) };
  const group = readIpv6(dv, view.groupAt);
  if (view.type === Icmpv6Type.listenerReport) return { kind: "report", group };
  if (view.type === Icmpv6Type.listenerDone) return { kind: "done", group };
  if (view.version === 1) return { kind: "query", group, maxResponse };
  const flags = dv.getUint8(start + QUERY_FLAGS);
  return {
    kind: "query-v2",
    group,
    maxResponse,
    suppress: (flags & 8) !== 0,
    robustness: flags & 7,
    interval: dv.getUint8(start + QUERY_INTERVAL),
    sources: readSources(dv, start + QUERY_SOURCES, dv.getUint16(start + QUERY_SOURCE_COUNT)),
  };
}

export function mldLength(repr: MldRepr): number {
  if (repr.kind === "query-v2") return QUERY_SOURCES + 16 * repr.sources.length;
  if (repr.kind !== "report-v2") return V1_LENGTH;
  let length = RECORDS;
  for (const { sources } of repr.records) length += RECORD_SOURCES + 16 * sources.length;
  return length;
}

/** Writes the message with its checksum; returns its end, or -1 without room. */
export function emitMld(
  repr: MldRepr,
  dv: DataView,
  start: number,
  source: Ipv6Words,
  destination: Ipv6Words,
): number {
  const length = mldLength(repr);
  if (!hasRoom(dv, start, length)) return -1;
  dv.setUint8(start + TYPE, KIND_TYPES[repr.kind]);
  dv.setUint8(start + CODE, 0);
  dv.setUint32(start + REST, 0);
  if (repr.kind === "report-v2") {
    dv.setUint16(start + RECORD_COUNT, repr.records.length);
    let at = start + RECORDS;
    for (const { type, group, sources } of repr.records) {
      dv.setUint16(at + RECORD_TYPE, type << 8);
      dv.setUint16(at + SOURCE_COUNT, sources.length);
      writeIpv6(dv, at + RECORD_GROUP, group);
      at = writeSources(dv, at + RECORD_SOURCES, sources);
    }
  } else {
    writeIpv6(dv, start + GROUP, repr.group);
    if ("maxResponse" in repr) dv.setUint16(start + MAX_RESPONSE, repr.maxResponse);
  }
  if (repr.kind === "query-v2") {
    dv.setUint8(start + QUERY_FLAGS, (repr.suppress ? 8 : 0) | (repr.robustness & 7));
    dv.setUint8(start + QUERY_INTERVAL, repr.interval);
    dv.setUint16(start + QUERY_SOURCE_COUNT, repr.sources.length);
    writeSources(dv, start + QUERY_SOURCES, repr.sources);
  }
  fillIcmpv6(dv, start, start + length, source, destination);
  return start + length;
}

const KIND_TYPES = {
  query: Icmpv6Type.listenerQuery,
  "query-v2": Icmpv6Type.listenerQuery,
  report: Icmpv6Type.listenerReport,
  done: Icmpv6Type.listenerDone,
  "report-v2": Icmpv6Type.listenerReportV2,
} as const;

const recordLength = (dv: DataView, at: number): number =>
  RECORD_SOURCES + 16 * dv.getUint16(at + SOURCE_COUNT) + 4 * dv.getUint8(at + AUXILIARY_LENGTH);

function readRecords(dv: DataView, start: number): MldGroupRecord[] {
  const records: MldGroupRecord[] = [];
  let at = start + RECORDS;
  for (let left = dv.getUint16(start + RECORD_COUNT); left > 0; left--) {
    records.push({
      type: dv.getUint8(at + RECORD_TYPE),
      group: readIpv6(dv, at + RECORD_GROUP),
      sources: readSources(dv, at + RECORD_SOURCES, dv.getUint16(at + SOURCE_COUNT)),
    });
    at += recordLength(dv, at);
  }
  return records;
}

function readSources(dv: DataView, at: number, count: number): Ipv6Words[] {
  const sources: Ipv6Words[] = [];
  for (let i = 0; i < count; i++) sources.push(readIpv6(dv, at + 16 * i));
  return sources;
}

function writeSources(dv: DataView, at: number, sources: readonly Ipv6Words[]): number {
  for (let i = 0; i < sources.length; i++) writeIpv6(dv, at + 16 * i, sources[i]!);
  return at + 16 * sources.length;
}
