import { checksum16, verifies } from "./checksum.ts";
import { hasRoom, NO_DATA } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** IGMP: version 1 (RFC 1112 app. I), 2 (RFC 2236 §2), 3 (RFC 3376 §4). */
const TYPE = 0;
const MAX_RESPONSE = 1;
const CHECKSUM = 2;
const GROUP = 4;
/** Of queries of version 3. */
const QUERY_FLAGS = 8;
const QUERY_INTERVAL = 9;
const QUERY_SOURCE_COUNT = 10;
const QUERY_SOURCES = 12;
/** Of reports of version 3. */
const RECORD_COUNT = 6;
const RECORDS = 8;
/** Of a group record in them. */
const RECORD_TYPE = 0;
const AUXILIARY_LENGTH = 1;
const SOURCE_COUNT = 2;
const RECORD_GROUP = 4;
const RECORD_SOURCES = 8;

export const IgmpType = {
  query: 0x11,
  reportV1: 0x12,
  reportV2: 0x16,
  leave: 0x17,
  reportV3: 0x22,
} as const;

/** Of group records in IGMPv3 and MLDv2 (RFC 3376 §4.2.12). */
export const GroupRecordType = {
  modeIsInclude: 1,
  modeIsExclude: 2,
  changeToInclude: 3,
  changeToExclude: 4,
  allowNewSources: 5,
  blockOldSources: 6,
} as const;

export class IgmpView {
  dv: DataView = NO_DATA;
  start = 0;
  end = 0;

  /** The message is the whole range. Sources and group records are checked to lie within it. */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    const length = end - start;
    if (length < 8) return "truncated";
    const type = dv.getUint8(start + TYPE);
    if (type === IgmpType.query && length > 8) {
      // RFC 3376 §7.1: 8 octets are version 1 or 2, 12 or more version 3, others are ignored.
      if (length < QUERY_SOURCES) return "malformed";
      const sources = dv.getUint16(start + QUERY_SOURCE_COUNT);
      if (QUERY_SOURCES + 4 * sources > length) return "truncated";
    } else if (type === IgmpType.reportV3) {
      let at = start + RECORDS;
      for (let left = dv.getUint16(start + RECORD_COUNT); left > 0; left--) {
        if (end - at < RECORD_SOURCES) return "truncated";
        at += recordLength(dv, at);
        if (at > end) return "truncated";
      }
    } else if (!isIgmpType(type)) {
      return "unsupported";
    }
    this.dv = dv;
    this.start = start;
    this.end = end;
    return "ok";
  }

  get type(): number {
    return this.dv.getUint8(this.start + TYPE);
  }

  /** 1, 2 or 3 (RFC 3376 §7.1). */
  get version(): number {
    const { type } = this;
    if (type === IgmpType.reportV3) return 3;
    if (type === IgmpType.reportV1) return 1;
    if (type !== IgmpType.query) return 2;
    if (this.end - this.start >= QUERY_SOURCES) return 3;
    return this.maxResponse === 0 ? 1 : 2;
  }

  /** Of queries: tenths of a second, as a code in version 3 (`decodeTime8`). */
  get maxResponse(): number {
    return this.dv.getUint8(this.start + MAX_RESPONSE);
  }

  /** Of all but reports of version 3; 0 in a general query. */
  get group(): number {
    return this.dv.getUint32(this.start + GROUP);
  }

  get checksumVerifies(): boolean {
    return verifies(this.dv, this.start, this.end);
  }
}

export interface IgmpGroupRecord {
  /** `GroupRecordType`. */
  readonly type: number;
  readonly group: number;
  readonly sources: readonly number[];
}

export type IgmpRepr =
  /** Version 1 or 2, of which the former has a `maxResponse` of 0; tenths of a second. */
  | { readonly kind: "query"; readonly group: number; readonly maxResponse: number }
  | {
      readonly kind: "query-v3";
      readonly group: number;
      /** A code: `encodeTime8` of tenths of a second. */
      readonly maxResponse: number;
      readonly suppress: boolean;
      /** 0 to 7. */
      readonly robustness: number;
      /** A code: `encodeTime8` of seconds. */
      readonly interval: number;
      readonly sources: readonly number[];
    }
  | { readonly kind: "report-v1" | "report-v2" | "leave"; readonly group: number }
  | { readonly kind: "report-v3"; readonly records: readonly IgmpGroupRecord[] };

/** Null when the checksum is wrong. Auxiliary data of records is left out (RFC 3376 §4.2.10). */
export function parseIgmp(view: IgmpView): IgmpRepr | null {
  if (!view.checksumVerifies) return null;
  const { dv, start, group, maxResponse } = view;
  switch (view.type) {
    case IgmpType.reportV1:
      return { kind: "report-v1", group };
    case IgmpType.reportV2:
      return { kind: "report-v2", group };
    case IgmpType.leave:
      return { kind: "leave", group };
    case IgmpType.reportV3:
      return { kind: "report-v3", records: readRecords(dv, start) };
  }
  if (view.version < 3) return { kind: "query", group, maxResponse };
  const flags = dv.getUint8(start + QUERY_FLAGS);
  return {
    kind: "query-v3",
    group,
    maxResponse,
    suppress: (flags & 8) !== 0,
    robustness: flags & 7,
    interval: dv.getUint8(start + QUERY_INTERVAL),
    sources: readSources(dv, start + QUERY_SOURCES, dv.getUint16(start + QUERY_SOURCE_COUNT)),
  };
}

export function igmpLength(repr: IgmpRepr): number {
  if (repr.kind === "query-v3") return QUERY_SOURCES + 4 * repr.sources.length;
  if (repr.kind !== "report-v3") return 8;
  let length = RECORDS;
  for (const { sources } of repr.records) length += RECORD_SOURCES + 4 * sources.length;
  return length;
}

/** Writes the message with its checksum; returns its end, or -1 without room. */
export function emitIgmp(repr: IgmpRepr, dv: DataView, start: number): number {
  const length = igmpLength(repr);
  if (!hasRoom(dv, start, length)) return -1;
  dv.setUint8(start + TYPE, KIND_TYPES[repr.kind]);
  dv.setUint8(start + MAX_RESPONSE, "maxResponse" in repr ? repr.maxResponse : 0);
  dv.setUint16(start + CHECKSUM, 0);
  dv.setUint32(start + GROUP, "group" in repr ? repr.group : 0);
  if (repr.kind === "query-v3") {
    dv.setUint8(start + QUERY_FLAGS, (repr.suppress ? 8 : 0) | (repr.robustness & 7));
    dv.setUint8(start + QUERY_INTERVAL, repr.interval);
    dv.setUint16(start + QUERY_SOURCE_COUNT, repr.sources.length);
    writeSources(dv, start + QUERY_SOURCES, repr.sources);
  } else if (repr.kind === "report-v3") {
    dv.setUint16(start + RECORD_COUNT, repr.records.length);
    let at = start + RECORDS;
    for (const { type, group, sources } of repr.records) {
      dv.setUint16(at + RECORD_TYPE, type << 8);
      dv.setUint16(at + SOURCE_COUNT, sources.length);
      dv.setUint32(at + RECORD_GROUP, group);
      at = writeSources(dv, at + RECORD_SOURCES, sources);
    }
  }
  dv.setUint16(start + CHECKSUM, checksum16(dv, start, start + length));
  return start + length;
}

const KIND_TYPES = {
  query: IgmpType.query,
  "query-v3": IgmpType.query,
  "report-v1": IgmpType.reportV1,
  "report-v2": IgmpType.reportV2,
  leave: IgmpType.leave,
  "report-v3": IgmpType.reportV3,
} as const;

const isIgmpType = (type: number): boolean =>
  type === IgmpType.query ||
  type === IgmpType.reportV1 ||
  type === IgmpType.reportV2 ||
  type === IgmpType.leave;

const recordLength = (dv: DataView, at: number): number =>
  RECORD_SOURCES + 4 * (dv.getUint16(at + SOURCE_COUNT) + dv.getUint8(at + AUXILIARY_LENGTH));

function readRecords(dv: DataView, start: number): IgmpGroupRecord[] {
  const records: IgmpGroupRecord[] = [];
  let at = start + RECORDS;
  for (let left = dv.getUint16(start + RECORD_COUNT); left > 0; left--) {
    records.push({
      type: dv.getUint8(at + RECORD_TYPE),
      group: dv.getUint32(at + RECORD_GROUP),
      sources: readSources(dv, at + RECORD_SOURCES, dv.getUint16(at + SOURCE_COUNT)),
    });
    at += recordLength(dv, at);
  }
  return records;
}

function readSources(dv: DataView, at: number, count: number): number[] {
  const sources: number[] = [];
  for (let i = 0; i < count; i++) sources.push(dv.getUint32(at + 4 * i));
  return sources;
}

function writeSources(dv: DataView, at: number, sources: readonly number[]): number {
  for (let i = 0; i < sources.length; i++) dv.setUint32(at + 4 * i, sources[i]!);
  return at + 4 * sources.length;
}
