import { latin1 } from "../core/bytes.ts";
import { type DnsName, readName, skipName } from "./dns-name.ts";
import { copyOctets } from "./octets.ts";

/** RFC 2132, but for where another is named. */
export const Dhcp4Option = {
  pad: 0,
  subnetMask: 1,
  routers: 3,
  nameServers: 6,
  hostName: 12,
  domainName: 15,
  interfaceMtu: 26,
  broadcastAddress: 28,
  ntpServers: 42,
  requestedAddress: 50,
  leaseTime: 51,
  overload: 52,
  messageType: 53,
  serverIdentifier: 54,
  parameterRequestList: 55,
  message: 56,
  maximumMessageSize: 57,
  renewalTime: 58,
  rebindingTime: 59,
  vendorClass: 60,
  clientIdentifier: 61,
  /** RFC 3397. */
  domainSearch: 119,
  /** RFC 3442. */
  classlessRoutes: 121,
  end: 255,
} as const;

/** RFC 3442: `prefixLength` bits of `destination` go to `router`; router 0 is the link itself. */
export interface ClasslessRoute {
  readonly destination: number;
  readonly prefixLength: number;
  readonly router: number;
}

/**
 * The options that are understood; null (or an empty list) where absent. Addresses are 32-bit
 * numbers, times are in seconds (0xffffffff is forever, RFC 2131 §3.3), texts one character an octet.
 */
export interface Dhcp4Options {
  readonly subnetMask: number | null;
  readonly routers: readonly number[];
  readonly nameServers: readonly number[];
  readonly hostName: string | null;
  readonly domainName: string | null;
  readonly interfaceMtu: number | null;
  readonly broadcastAddress: number | null;
  readonly ntpServers: readonly number[];
  readonly requestedAddress: number | null;
  readonly leaseTime: number | null;
  readonly serverIdentifier: number | null;
  readonly parameterRequestList: readonly number[];
  readonly message: string | null;
  readonly maximumMessageSize: number | null;
  readonly renewalTime: number | null;
  readonly rebindingTime: number | null;
  readonly vendorClass: string | null;
  readonly clientIdentifier: Uint8Array | null;
  readonly domainSearch: readonly DnsName[];
  readonly classlessRoutes: readonly ClasslessRoute[];
  /** Every other option but pad, end, overload and the message type, ascending by code. */
  readonly other: readonly { readonly code: number; readonly value: Uint8Array }[];
}

export const NO_DHCP4_OPTIONS: Dhcp4Options = Object.freeze({
  subnetMask: null,
  routers: [],
  nameServers: [],
  hostName: null,
  domainName: null,
  interfaceMtu: null,
  broadcastAddress: null,
  ntpServers: [],
  requestedAddress: null,
  leaseTime: null,
  serverIdentifier: null,
  parameterRequestList: [],
  message: null,
  maximumMessageSize: null,
  renewalTime: null,
  rebindingTime: null,
  vendorClass: null,
  clientIdentifier: null,
  domainSearch: [],
  classlessRoutes: [],
  other: [],
});

/** What an option's value has to look like. */
type Form = "u16" | "u32" | "addresses" | "codes" | "text" | "octets" | "names" | "routes";

/** Every understood option: its field, its code, its form. Emitted in this order. */
export const DHCP4_FORMS: readonly (readonly [keyof Dhcp4Options, number, Form])[] = [
  ["clientIdentifier", Dhcp4Option.clientIdentifier, "octets"],
  ["requestedAddress", Dhcp4Option.requestedAddress, "u32"],
  ["serverIdentifier", Dhcp4Option.serverIdentifier, "u32"],
  ["leaseTime", Dhcp4Option.leaseTime, "u32"],
  ["renewalTime", Dhcp4Option.renewalTime, "u32"],
  ["rebindingTime", Dhcp4Option.rebindingTime, "u32"],
  // RFC 2132 §3.3: the mask goes before the routers.
  ["subnetMask", Dhcp4Option.subnetMask, "u32"],
  // RFC 3442: who knows classless routes ignores the routers.
  ["classlessRoutes", Dhcp4Option.classlessRoutes, "routes"],
  ["routers", Dhcp4Option.routers, "addresses"],
  ["nameServers", Dhcp4Option.nameServers, "addresses"],
  ["hostName", Dhcp4Option.hostName, "text"],
  ["domainName", Dhcp4Option.domainName, "text"],
  ["domainSearch", Dhcp4Option.domainSearch, "names"],
  ["interfaceMtu", Dhcp4Option.interfaceMtu, "u16"],
  ["broadcastAddress", Dhcp4Option.broadcastAddress, "u32"],
  ["ntpServers", Dhcp4Option.ntpServers, "addresses"],
  ["maximumMessageSize", Dhcp4Option.maximumMessageSize, "u16"],
  ["vendorClass", Dhcp4Option.vendorClass, "text"],
  ["parameterRequestList", Dhcp4Option.parameterRequestList, "codes"],
  ["message", Dhcp4Option.message, "text"],
];

/**
 * The options in `values`, whole values by code. One that is not of its form is left out, as if it had
 * not been sent: a lease is worth more than a broken list of time servers.
 */
export function parseDhcp4Options(values: ReadonlyMap<number, Uint8Array>): Dhcp4Options {
  const options: Record<string, unknown> = { ...NO_DHCP4_OPTIONS };
  const known = new Set<number>([Dhcp4Option.messageType, Dhcp4Option.overload]);
  for (const [field, code, form] of DHCP4_FORMS) {
    known.add(code);
    const value = values.get(code);
    const parsed = value === undefined ? null : parseForm(form, value);
    if (parsed !== null) options[field] = parsed;
  }
  const other = [...values].filter(([code]) => !known.has(code)).sort(([a], [b]) => a - b);
  options.other = other.map(([code, value]) => ({ code, value }));
  return options as unknown as Dhcp4Options;
}

function parseForm(form: Form, value: Uint8Array): unknown {
  const dv = new DataView(value.buffer, value.byteOffset, value.length);
  switch (form) {
    case "u16":
      return value.length === 2 ? dv.getUint16(0) : null;
    case "u32":
      return value.length === 4 ? dv.getUint32(0) : null;
    case "addresses":
      if (value.length === 0 || value.length % 4 !== 0) return null;
      return Array.from({ length: value.length / 4 }, (_, i) => dv.getUint32(4 * i));
    case "codes":
      return [...value];
    case "text":
      return parseText(value);
    case "octets":
      return copyOctets(dv, 0, value.length);
    case "names":
      return parseNames(dv);
    case "routes":
      return parseRoutes(dv);
    default:
      return form satisfies never;
  }
}

/** RFC 2132 §2: a text should not end in NUL, and who reads one must do without it. */
function parseText(value: Uint8Array): string | null {
  let end = value.length;
  while (end > 0 && value[end - 1] === 0) end--;
  return end === 0 ? null : latin1(value, 0, end);
}

/** RFC 3397 §2: names one after the other, pointers count from the start of the option's value. */
function parseNames(dv: DataView): DnsName[] | null {
  const names: DnsName[] = [];
  for (let at = 0; at < dv.byteLength; ) {
    const after = skipName(dv, at, dv.byteLength);
    const name = after < 0 ? null : readName(dv, 0, at, dv.byteLength);
    if (name === null) return null;
    names.push(name);
    at = after;
  }
  return names;
}

/** RFC 3442: the prefix's length, as many octets of it as that needs, the router. */
function parseRoutes(dv: DataView): ClasslessRoute[] | null {
  const routes: ClasslessRoute[] = [];
  for (let at = 0; at < dv.byteLength; ) {
    const prefixLength = dv.getUint8(at);
    const significant = Math.ceil(prefixLength / 8);
    if (prefixLength > 32 || at + 1 + significant + 4 > dv.byteLength) return null;
    let destination = 0;
    for (let i = 0; i < significant; i++) destination |= dv.getUint8(at + 1 + i) << (24 - 8 * i);
    // Bits past the prefix must be zero; a server's that are not, are cleared.
    const mask = prefixLength === 0 ? 0 : -1 << (32 - prefixLength);
    routes.push({
      destination: (destination & mask) >>> 0,
      prefixLength,
      router: dv.getUint32(at + 1 + significant),
    });
    at += 5 + significant;
  }
  return routes;
}
