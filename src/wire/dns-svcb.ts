import { bytesOf } from "../core/bytes.ts";
import type { DnsWriter } from "./dns-writer.ts";
import { type Ipv6Words, readIpv6 } from "./ipv6-address.ts";
import { copyOctets } from "./octets.ts";

/** Service parameters of SVCB and HTTPS records (RFC 9460 §14.3.2). */
export const SvcbKey = {
  mandatory: 0,
  alpn: 1,
  noDefaultAlpn: 2,
  port: 3,
  ipv4Hint: 4,
  ech: 5,
  ipv6Hint: 6,
} as const;

/** The parameters that are understood, and the others as they came. Empty or null is absent. */
export interface SvcbParams {
  /** Keys that a client must understand, ascending, each present; never `mandatory` itself. */
  readonly mandatory: readonly number[];
  /** Protocol identifiers of 1 to 255 octets, one character an octet. */
  readonly alpn: readonly string[];
  readonly noDefaultAlpn: boolean;
  readonly port: number | null;
  readonly ipv4Hints: readonly number[];
  /** An ECHConfigList (RFC 9848), not looked into. */
  readonly ech: Uint8Array | null;
  readonly ipv6Hints: readonly Ipv6Words[];
  /** Keys above 6, ascending. */
  readonly other: readonly { readonly key: number; readonly value: Uint8Array }[];
}

export const NO_SVCB_PARAMS: SvcbParams = Object.freeze({
  mandatory: [],
  alpn: [],
  noDefaultAlpn: false,
  port: null,
  ipv4Hints: [],
  ech: null,
  ipv6Hints: [],
  other: [],
});

/** Reads dv[at, end); null where RFC 9460 §2.2 calls the record malformed. */
export function parseSvcbParams(dv: DataView, start: number, end: number): SvcbParams | null {
  const params: Draft = { ...NO_SVCB_PARAMS, other: [] };
  const seen = new Set<number>();
  let last = -1;
  for (let at = start; at < end; ) {
    if (end - at < 4) return null;
    const key = dv.getUint16(at);
    const valueEnd = at + 4 + dv.getUint16(at + 2);
    // RFC 9460 §2.2: keys ascend, so none comes twice.
    if (key <= last || valueEnd > end) return null;
    if (!parseValue(params, key, dv, at + 4, valueEnd)) return null;
    seen.add(key);
    last = key;
    at = valueEnd;
  }
  if (params.mandatory.some((key) => !seen.has(key))) return null;
  // RFC 9460 §7.1.1: no-default-alpn without alpn is not self-consistent.
  return params.noDefaultAlpn && params.alpn.length === 0 ? null : params;
}

/** Writes the parameters in ascending order of their keys. */
export function emitSvcbParams(params: SvcbParams, writer: DnsWriter): void {
  if (params.mandatory.length > 0) {
    header(writer, SvcbKey.mandatory, 2 * params.mandatory.length);
    for (const key of params.mandatory) writer.u16(key);
  }
  if (params.alpn.length > 0) {
    writer.u16(SvcbKey.alpn);
    const opened = writer.openLength();
    for (const id of params.alpn) writer.characterString(bytesOf(id));
    writer.closeLength(opened);
  }
  if (params.noDefaultAlpn) header(writer, SvcbKey.noDefaultAlpn, 0);
  if (params.port !== null) {
    header(writer, SvcbKey.port, 2);
    writer.u16(params.port);
  }
  if (params.ipv4Hints.length > 0) {
    header(writer, SvcbKey.ipv4Hint, 4 * params.ipv4Hints.length);
    for (const address of params.ipv4Hints) writer.u32(address);
  }
  if (params.ech !== null) opaque(writer, SvcbKey.ech, params.ech);
  if (params.ipv6Hints.length > 0) {
    header(writer, SvcbKey.ipv6Hint, 16 * params.ipv6Hints.length);
    for (const address of params.ipv6Hints) for (const word of address) writer.u32(word);
  }
  for (const { key, value } of params.other) opaque(writer, key, value);
}

type Draft = { -readonly [K in keyof SvcbParams]: SvcbParams[K] } & {
  other: { key: number; value: Uint8Array }[];
};

/** Sets the parameter in dv[at, end); false when its value is not of its form. */
function parseValue(params: Draft, key: number, dv: DataView, start: number, end: number): boolean {
  const length = end - start;
  switch (key) {
    case SvcbKey.mandatory:
      return (params.mandatory = parseMandatory(dv, start, end)).length > 0;
    case SvcbKey.alpn:
      return (params.alpn = parseAlpn(dv, start, end)).length > 0;
    case SvcbKey.noDefaultAlpn:
      params.noDefaultAlpn = true;
      return length === 0;
    case SvcbKey.port:
      if (length === 2) params.port = dv.getUint16(start);
      return length === 2;
    case SvcbKey.ipv4Hint:
      params.ipv4Hints = each(start, end, 4, (at) => dv.getUint32(at));
      return length > 0 && length % 4 === 0;
    case SvcbKey.ech:
      params.ech = copyOctets(dv, start, end);
      return true;
    case SvcbKey.ipv6Hint:
      params.ipv6Hints = each(start, end, 16, (at) => readIpv6(dv, at));
      return length > 0 && length % 16 === 0;
    default:
      params.other.push({ key, value: copyOctets(dv, start, end) });
      return true;
  }
}

/** RFC 9460 §8: keys, ascending, `mandatory` not among them; none where that does not hold. */
function parseMandatory(dv: DataView, start: number, end: number): number[] {
  const keys = each(start, end, 2, (at) => dv.getUint16(at));
  const ascending = keys.every((key, i) => key > (keys[i - 1] ?? SvcbKey.mandatory));
  return ascending && (end - start) % 2 === 0 ? keys : [];
}

/** RFC 9460 §7.1.1: identifiers, each with a length octet; none where one is empty or cut. */
function parseAlpn(dv: DataView, start: number, end: number): string[] {
  const ids: string[] = [];
  for (let at = start; at < end; ) {
    const idEnd = at + 1 + dv.getUint8(at);
    if (idEnd === at + 1 || idEnd > end) return [];
    let id = "";
    for (let i = at + 1; i < idEnd; i++) id += String.fromCharCode(dv.getUint8(i));
    ids.push(id);
    at = idEnd;
  }
  return ids;
}

function each<T>(start: number, end: number, step: number, read: (at: number) => T): T[] {
  const values: T[] = [];
  for (let at = start; at + step <= end; at += step) values.push(read(at));
  return values;
}

function header(writer: DnsWriter, key: number, length: number): void {
  writer.u16(key);
  writer.u16(length);
}

function opaque(writer: DnsWriter, key: number, value: Uint8Array): void {
  if (value.length > 0xffff) writer.refused = true;
  header(writer, key, value.length);
  writer.octets(value);
}
