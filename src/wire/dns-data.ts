import { type DnsName, readName, skipName } from "./dns-name.ts";
import { emitSvcbParams, parseSvcbParams, type SvcbParams } from "./dns-svcb.ts";
import type { DnsWriter } from "./dns-writer.ts";
import { type Ipv6Words, readIpv6 } from "./ipv6-address.ts";
import { copyOctets } from "./octets.ts";

/** Types of records that are understood, and those of questions (IANA, "DNS Parameters"). */
export const DnsType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  SVCB: 64,
  HTTPS: 65,
  ANY: 255,
} as const;

export const DnsClass = { IN: 1, CH: 3, NONE: 254, ANY: 255 } as const;

/** What a record says. `raw` is every other type, and known ones in classes that give them no form. */
export type DnsData =
  | { readonly type: "A"; readonly address: number }
  | { readonly type: "AAAA"; readonly address: Ipv6Words }
  | { readonly type: "NS" | "CNAME" | "PTR"; readonly name: DnsName }
  | SoaData
  | { readonly type: "MX"; readonly preference: number; readonly exchange: DnsName }
  | { readonly type: "TXT"; readonly strings: readonly Uint8Array[] }
  | SrvData
  | SvcbData
  | { readonly type: "raw"; readonly code: number; readonly octets: Uint8Array };

/** RFC 1035 §3.3.13; `minimum` is the time to keep negative answers, in seconds (RFC 2308 §4). */
export interface SoaData {
  readonly type: "SOA";
  readonly primary: DnsName;
  readonly mailbox: DnsName;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

/** RFC 2782. */
export interface SrvData {
  readonly type: "SRV";
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: DnsName;
}

/** RFC 9460 §2; a priority of 0 is AliasMode, in which `params` say nothing. */
export interface SvcbData {
  readonly type: "SVCB" | "HTTPS";
  readonly priority: number;
  readonly target: DnsName;
  readonly params: SvcbParams;
}

export const dataType = (data: DnsData): number =>
  data.type === "raw" ? data.code : DnsType[data.type];

/** Where the data of a record lies: dv[start, end) in a message that begins at `base`. */
export interface DataRange {
  readonly dv: DataView;
  readonly base: number;
  readonly start: number;
  readonly end: number;
}

/** The data of a record, or null when it is not of its type's form. */
export function parseData(type: number, dnsClass: number, range: DataRange): DnsData | null {
  // Classes NONE and ANY are those of updates (RFC 2136 §2.4), where data is empty. The top bit is
  // multicast DNS's own (RFC 6762 §10.2).
  const plainClass = dnsClass & 0x7fff;
  if (plainClass >= DnsClass.NONE) return rawData(type, range);
  const internet = plainClass === DnsClass.IN;
  const { dv, start, end } = range;
  switch (type) {
    case DnsType.A:
      if (!internet) break;
      return end - start === 4 ? { type: "A", address: dv.getUint32(start) } : null;
    case DnsType.AAAA:
      if (!internet) break;
      return end - start === 16 ? { type: "AAAA", address: readIpv6(dv, start) } : null;
    case DnsType.NS:
      return parseNamed("NS", range);
    case DnsType.CNAME:
      return parseNamed("CNAME", range);
    case DnsType.PTR:
      return parseNamed("PTR", range);
    case DnsType.SOA:
      return parseSoa(range);
    case DnsType.MX:
      return parseMx(range);
    case DnsType.TXT:
      return parseTxt(range);
    case DnsType.SRV:
      return internet ? parseSrv(range) : rawData(type, range);
    case DnsType.SVCB:
      return internet ? parseSvcb("SVCB", range) : rawData(type, range);
    case DnsType.HTTPS:
      return internet ? parseSvcb("HTTPS", range) : rawData(type, range);
  }
  return rawData(type, range);
}

/** Writes the data without its length. */
export function emitData(data: DnsData, writer: DnsWriter): void {
  switch (data.type) {
    case "A":
      return writer.u32(data.address);
    case "AAAA":
      for (const word of data.address) writer.u32(word);
      return;
    case "NS":
    case "CNAME":
    case "PTR":
      return writer.compressedName(data.name);
    case "SOA":
      return emitSoa(data, writer);
    case "MX":
      writer.u16(data.preference);
      return writer.compressedName(data.exchange);
    case "TXT":
      // RFC 1035 §3.3.14: one string at least.
      if (data.strings.length === 0) writer.refused = true;
      for (const text of data.strings) writer.characterString(text);
      return;
    case "SRV":
      writer.u16(data.priority);
      writer.u16(data.weight);
      writer.u16(data.port);
      return writer.plainName(data.target);
    case "SVCB":
    case "HTTPS":
      writer.u16(data.priority);
      writer.plainName(data.target);
      return emitSvcbParams(data.params, writer);
    case "raw":
      return writer.octets(data.octets);
    default:
      data satisfies never;
  }
}

const rawData = (code: number, { dv, start, end }: DataRange): DnsData => ({
  type: "raw",
  code,
  octets: copyOctets(dv, start, end),
});

/** The name at `at`, which has to be the rest of the data. */
function lastName({ dv, base, end }: DataRange, at: number): DnsName | null {
  return skipName(dv, at, end) === end ? readName(dv, base, at, end) : null;
}

function parseNamed(type: "NS" | "CNAME" | "PTR", range: DataRange): DnsData | null {
  const name = lastName(range, range.start);
  return name === null ? null : { type, name };
}

function parseMx(range: DataRange): DnsData | null {
  if (range.end - range.start < 3) return null;
  const exchange = lastName(range, range.start + 2);
  if (exchange === null) return null;
  return { type: "MX", preference: range.dv.getUint16(range.start), exchange };
}

function parseSoa({ dv, base, start, end }: DataRange): DnsData | null {
  const second = skipName(dv, start, end);
  const numbers = second < 0 ? -1 : skipName(dv, second, end);
  if (numbers < 0 || end - numbers !== 20) return null;
  const primary = readName(dv, base, start, end);
  const mailbox = readName(dv, base, second, end);
  if (primary === null || mailbox === null) return null;
  return {
    type: "SOA",
    primary,
    mailbox,
    serial: dv.getUint32(numbers),
    refresh: dv.getUint32(numbers + 4),
    retry: dv.getUint32(numbers + 8),
    expire: dv.getUint32(numbers + 12),
    minimum: dv.getUint32(numbers + 16),
  };
}

function parseTxt({ dv, start, end }: DataRange): DnsData | null {
  const strings: Uint8Array[] = [];
  for (let at = start; at < end; ) {
    const stringEnd = at + 1 + dv.getUint8(at);
    if (stringEnd > end) return null;
    strings.push(copyOctets(dv, at + 1, stringEnd));
    at = stringEnd;
  }
  // RFC 6763 §6.1: empty data, which nobody should send, stands for one empty string.
  if (strings.length === 0) strings.push(new Uint8Array(0));
  return { type: "TXT", strings };
}

function parseSrv(range: DataRange): DnsData | null {
  const { dv, start, end } = range;
  if (end - start < 7) return null;
  const target = lastName(range, start + 6);
  if (target === null) return null;
  return {
    type: "SRV",
    priority: dv.getUint16(start),
    weight: dv.getUint16(start + 2),
    port: dv.getUint16(start + 4),
    target,
  };
}

function parseSvcb(type: "SVCB" | "HTTPS", { dv, start, end }: DataRange): DnsData | null {
  const after = end - start < 3 ? -1 : skipName(dv, start + 2, end);
  // RFC 9460 §2.2: the target is never compressed.
  const target = after < 0 ? null : readName(dv, -1, start + 2, end);
  const params = target === null ? null : parseSvcbParams(dv, after, end);
  if (target === null || params === null) return null;
  return { type, priority: dv.getUint16(start), target, params };
}

function emitSoa(data: SoaData, writer: DnsWriter): void {
  writer.compressedName(data.primary);
  writer.compressedName(data.mailbox);
  writer.u32(data.serial);
  writer.u32(data.refresh);
  writer.u32(data.retry);
  writer.u32(data.expire);
  writer.u32(data.minimum);
}
