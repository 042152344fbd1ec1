import { DNS_ROOT, readName, skipName } from "../../wire/dns-name.ts";
import { type NdpRepr, NdpView } from "../../wire/ndp.ts";
import { type NdpOption, parseNdpOptions } from "../../wire/ndp-options.ts";
import type { Inbound } from "../inbound.ts";
import { Ip } from "../ip-address.ts";
import { masked, Prefix } from "../prefix.ts";
import type { RouterPreference } from "./learnt-routes.ts";

/** RFC 4191 §2.3 and RFC 8106 §5.2. */
const ROUTE_INFORMATION = 24;
const DNS_SEARCH_LIST = 31;
const HOP_LIMIT = 4;
const FLAGS = 5;
const ROUTER_LIFETIME = 6;
const REACHABLE_TIME = 8;
const RETRANS_TIMER = 12;

/** A router advertisement (RFC 4861 §4.2, RFC 4191) that passed the checks of §6.1.2. Times as received. */
export interface RouterAdvertisement {
  readonly from: Ip;
  readonly hopLimit: number;
  readonly managed: boolean;
  readonly otherConfiguration: boolean;
  readonly preference: RouterPreference;
  /** Seconds. */
  readonly routerLifetime: number;
  /** Milliseconds. */
  readonly reachableTime: number;
  readonly retransTimer: number;
  readonly options: readonly NdpOption[];
}

/** Null when it is to be ignored. */
export function readRouterAdvertisement(inbound: Inbound): RouterAdvertisement | null {
  const options = readNdpOptions(inbound);
  if (options === null) return null;
  const { view: dv } = inbound.packet;
  const at = inbound.payloadStart;
  const flags = dv.getUint8(at + FLAGS);
  const routerLifetime = dv.getUint16(at + ROUTER_LIFETIME);
  return {
    from: inbound.source(),
    hopLimit: dv.getUint8(at + HOP_LIMIT),
    managed: (flags & 0x80) !== 0,
    otherConfiguration: (flags & 0x40) !== 0,
    preference: preferenceOf(flags) ?? 0,
    routerLifetime,
    reachableTime: dv.getUint32(at + REACHABLE_TIME),
    retransTimer: dv.getUint32(at + RETRANS_TIMER),
    options,
  };
}

/**
 * RFC 4861 §6.1.2 and §8.1: from a link-local address, over no router, well-formed. The checksum has
 * been looked at.
 */
export function readNdpOptions(inbound: Inbound): NdpOption[] | null {
  const { packet, payloadStart, payloadEnd, hopLimit, s0 } = inbound;
  if (inbound.version !== 6 || hopLimit !== 255 || s0 >>> 22 !== 0x3fa) return null;
  if (VIEW.wrap(packet.view, payloadStart, payloadEnd) !== "ok") return null;
  return parseNdpOptions(packet.view, VIEW.optionsStart, payloadEnd);
}

/** A redirect that passed the checks which need no more than the message (RFC 4861 §8.1). */
export function readRedirect(inbound: Inbound): Extract<NdpRepr, { kind: "redirect" }> | null {
  const options = readNdpOptions(inbound);
  if (options === null) return null;
  const { view: dv } = inbound.packet;
  const at = inbound.payloadStart;
  const words = (from: number) =>
    [
      dv.getUint32(from),
      dv.getUint32(from + 4),
      dv.getUint32(from + 8),
      dv.getUint32(from + 12),
    ] as const;
  return { kind: "redirect", target: words(at + 8), destination: words(at + 24), options };
}

/** A route information option (RFC 4191 §2.3), or null for another or a broken one. */
export interface RouteInformation {
  readonly prefix: Prefix;
  readonly preference: RouterPreference;
  /** Seconds. */
  readonly lifetime: number;
}

export function routeInformation(option: NdpOption): RouteInformation | null {
  if (option.kind !== "other" || option.type !== ROUTE_INFORMATION) return null;
  const { data } = option;
  const length = data[0]!;
  const room = data.length - 6;
  // §2.3: 0, 8 or 16 octets of prefix, at least as many as its length needs.
  if (length > 128 || room > 16 || 8 * room < length) return null;
  const preference = preferenceOf(data[1]!);
  // A reserved preference: the option is ignored.
  if (preference === null) return null;
  const octets = new Uint8Array(16);
  octets.set(data.subarray(6));
  const address = Ip.read6(new DataView(octets.buffer), 0);
  if (address.isMulticast || (address.isLinkLocal && length >= 10)) return null;
  const lifetime = new DataView(data.buffer, data.byteOffset, data.length).getUint32(2);
  return { prefix: new Prefix(masked(address, length), length), preference, lifetime };
}

/** A DNS search list option (RFC 8106 §5.2), or null. */
export function dnsSearchList(option: NdpOption): { lifetime: number; domains: string[] } | null {
  if (option.kind !== "other" || option.type !== DNS_SEARCH_LIST) return null;
  const { data } = option;
  const dv = new DataView(data.buffer, data.byteOffset, data.length);
  const domains: string[] = [];
  for (let at = 6; at < data.length; ) {
    const after = skipName(dv, at, data.length);
    // §5.2: names are not compressed; a pointer would lead before them.
    const name = after < 0 ? null : readName(dv, 0, at, data.length);
    if (name === null) return null;
    if (name !== DNS_ROOT) domains.push(name);
    at = after;
  }
  return { lifetime: dv.getUint32(2), domains };
}

const VIEW = new NdpView();

/** RFC 4191 §2.1: bits 3 and 4; null for the reserved value, which routers' headers have as medium. */
function preferenceOf(flags: number): RouterPreference | null {
  const bits = (flags >>> 3) & 3;
  if (bits === 2) return null;
  return bits === 3 ? -1 : (bits as 0 | 1);
}
