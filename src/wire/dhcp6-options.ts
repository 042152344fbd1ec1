import { type DnsName, readName, skipName } from "./dns-name.ts";
import { DnsWriter } from "./dns-writer.ts";
import { type Ipv6Words, readIpv6, writeIpv6 } from "./ipv6-address.ts";
import { copyOctets, writeOctets } from "./octets.ts";

/** RFC 8415 §21, but for where another is named. */
export const Dhcp6Option = {
  clientIdentifier: 1,
  serverIdentifier: 2,
  optionRequest: 6,
  elapsedTime: 8,
  statusCode: 13,
  /** RFC 3646 §3, §4. */
  nameServers: 23,
  domainSearch: 24,
  informationRefreshTime: 32,
  /** RFC 8415 §21.25. */
  informationMaxRt: 83,
} as const;

/** RFC 8415 §21.13. */
export const Dhcp6Status = { success: 0, unspecFail: 1 } as const;

/** The options that are understood; null (or an empty list) where absent. */
export interface Dhcp6Options {
  /** A DUID (RFC 8415 §11), not looked into. */
  readonly clientIdentifier: Uint8Array | null;
  readonly serverIdentifier: Uint8Array | null;
  /** Codes of options that the client wants. */
  readonly optionRequest: readonly number[];
  /** Since the client began, in hundredths of a second. */
  readonly elapsedTime: number | null;
  /** The message is UTF-8. */
  readonly status: { readonly code: number; readonly message: Uint8Array } | null;
  readonly nameServers: readonly Ipv6Words[];
  readonly domainSearch: readonly DnsName[];
  /** In seconds; 0xffffffff is forever. */
  readonly informationRefreshTime: number | null;
  /** In seconds. */
  readonly informationMaxRt: number | null;
  /** Every other option, in the order of the message; a code may come more than once. */
  readonly other: readonly { readonly code: number; readonly value: Uint8Array }[];
}

export const NO_DHCP6_OPTIONS: Dhcp6Options = Object.freeze({
  clientIdentifier: null,
  serverIdentifier: null,
  optionRequest: [],
  elapsedTime: null,
  status: null,
  nameServers: [],
  domainSearch: [],
  informationRefreshTime: null,
  informationMaxRt: null,
  other: [],
});

/** The position after the option at `at`, whose value starts at `at` + 4; -1 when it leads out. */
export function dhcp6OptionEnd(dv: DataView, at: number, end: number): number {
  if (end - at < 4) return -1;
  const after = at + 4 + dv.getUint16(at + 2);
  return after > end ? -1 : after;
}

/**
 * Reads dv[start, end), which the view has walked before. An option whose value is not of its form is
 * left out (RFC 8415 §16: "may ignore"), and of two of a kind the last one counts.
 */
export function parseDhcp6Options(dv: DataView, start: number, end: number): Dhcp6Options {
  const draft: Draft = { ...NO_DHCP6_OPTIONS, other: [] };
  for (let at = start; at < end; ) {
    const after = dhcp6OptionEnd(dv, at, end);
    if (after < 0) break;
    parseOption(draft, dv.getUint16(at), dv, at + 4, after);
    at = after;
  }
  return draft;
}

/** Writes all options and returns the position after them; with no view it only measures. */
export function emitDhcp6Options(
  options: Dhcp6Options,
  dv: DataView | null,
  start: number,
): number {
  let at = start;
  if (options.clientIdentifier !== null) {
    at = opaque(dv, at, Dhcp6Option.clientIdentifier, options.clientIdentifier);
  }
  if (options.serverIdentifier !== null) {
    at = opaque(dv, at, Dhcp6Option.serverIdentifier, options.serverIdentifier);
  }
  if (options.elapsedTime !== null) {
    at = header(dv, at, Dhcp6Option.elapsedTime, 2);
    dv?.setUint16(at - 2, options.elapsedTime);
  }
  if (options.optionRequest.length > 0) {
    const values = at + 4;
    at = header(dv, at, Dhcp6Option.optionRequest, 2 * options.optionRequest.length);
    for (const [i, code] of options.optionRequest.entries()) dv?.setUint16(values + 2 * i, code);
  }
  if (options.status !== null) {
    const { code, message } = options.status;
    at = header(dv, at, Dhcp6Option.statusCode, 2 + message.length);
    dv?.setUint16(at - message.length - 2, code);
    if (dv !== null) writeOctets(dv, at - message.length, message);
  }
  at = emitNameServers(options.nameServers, dv, at);
  at = emitDomainSearch(options.domainSearch, dv, at);
  at = seconds(dv, at, Dhcp6Option.informationRefreshTime, options.informationRefreshTime);
  at = seconds(dv, at, Dhcp6Option.informationMaxRt, options.informationMaxRt);
  for (const { code, value } of options.other) at = opaque(dv, at, code, value);
  return at;
}

type Draft = { -readonly [K in keyof Dhcp6Options]: Dhcp6Options[K] } & {
  other: { code: number; value: Uint8Array }[];
};

function parseOption(draft: Draft, code: number, dv: DataView, start: number, end: number): void {
  const length = end - start;
  switch (code) {
    case Dhcp6Option.clientIdentifier:
      if (length > 0) draft.clientIdentifier = copyOctets(dv, start, end);
      break;
    case Dhcp6Option.serverIdentifier:
      if (length > 0) draft.serverIdentifier = copyOctets(dv, start, end);
      break;
    case Dhcp6Option.optionRequest:
      if (length % 2 !== 0) break;
      draft.optionRequest = Array.from({ length: length / 2 }, (_, i) =>
        dv.getUint16(start + 2 * i),
      );
      break;
    case Dhcp6Option.elapsedTime:
      if (length === 2) draft.elapsedTime = dv.getUint16(start);
      break;
    case Dhcp6Option.statusCode:
      if (length < 2) break;
      draft.status = { code: dv.getUint16(start), message: copyOctets(dv, start + 2, end) };
      break;
    case Dhcp6Option.nameServers:
      if (length % 16 !== 0) break;
      draft.nameServers = Array.from({ length: length / 16 }, (_, i) =>
        readIpv6(dv, start + 16 * i),
      );
      break;
    case Dhcp6Option.domainSearch:
      draft.domainSearch = parseNames(dv, start, end) ?? draft.domainSearch;
      break;
    case Dhcp6Option.informationRefreshTime:
      if (length === 4) draft.informationRefreshTime = dv.getUint32(start);
      break;
    case Dhcp6Option.informationMaxRt:
      if (length === 4) draft.informationMaxRt = dv.getUint32(start);
      break;
    default:
      draft.other.push({ code, value: copyOctets(dv, start, end) });
  }
}

/** RFC 8415 §10: names are never compressed here. */
function parseNames(dv: DataView, start: number, end: number): DnsName[] | null {
  const names: DnsName[] = [];
  for (let at = start; at < end; ) {
    const after = skipName(dv, at, end);
    const name = after < 0 ? null : readName(dv, -1, at, end);
    if (name === null) return null;
    names.push(name);
    at = after;
  }
  return names;
}

function emitNameServers(servers: readonly Ipv6Words[], dv: DataView | null, at: number): number {
  if (servers.length === 0) return at;
  const end = header(dv, at, Dhcp6Option.nameServers, 16 * servers.length);
  if (dv !== null) servers.reduce((place, server) => writeIpv6(dv, place, server), at + 4);
  return end;
}

function emitDomainSearch(names: readonly DnsName[], dv: DataView | null, at: number): number {
  if (names.length === 0) return at;
  const writer = new DnsWriter(dv, at + 4);
  for (const name of names) writer.plainName(name);
  header(dv, at, Dhcp6Option.domainSearch, writer.at - at - 4);
  return writer.at;
}

function seconds(dv: DataView | null, at: number, code: number, value: number | null): number {
  if (value === null) return at;
  const end = header(dv, at, code, 4);
  dv?.setUint32(end - 4, value);
  return end;
}

function opaque(dv: DataView | null, at: number, code: number, value: Uint8Array): number {
  const end = header(dv, at, code, value.length);
  if (dv !== null) writeOctets(dv, at + 4, value);
  return end;
}

/** Writes code and length; returns where the option ends. */
function header(dv: DataView | null, at: number, code: number, length: number): number {
  dv?.setUint16(at, code);
  dv?.setUint16(at + 2, length);
  return at + 4 + length;
}
