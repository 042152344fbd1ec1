import { Icmpv6Type } from "../../wire/icmpv6.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import type { Inbound } from "../inbound.ts";
import { isDirectedBroadcast } from "../ip/local-addresses.ts";

const FRAGMENT_OFFSET = 0x1fff;

/**
 * Whether an ICMP error may answer an IPv4 packet (RFC 1122 §3.2.2, RFC 1812 §4.3.2.7): never an ICMP
 * error, a group or broadcast at either layer, a fragment but the first, or a source that is not one
 * host.
 */
export function isAnswerableIpv4(inbound: Inbound): boolean {
  if (inbound.cast !== "unicast" || inbound.linkGroup) return false;
  const { view } = inbound.packet;
  if ((view.getUint16(inbound.headerStart + 6) & FRAGMENT_OFFSET) !== 0) return false;
  if (!isHostIpv4(inbound.s3) || isDirectedBroadcast(inbound.interface, inbound.s3)) return false;
  if (inbound.protocol !== IpProtocol.icmp) return true;
  return inbound.payloadLength > 0 && !isErrorIpv4(view.getUint8(inbound.payloadStart));
}

/**
 * The same for IPv6 (RFC 4443 §2.4 (e)). `toGroups`: packet too big, and a parameter problem about an
 * option that asks for it, may answer what was sent to a group.
 */
export function isAnswerableIpv6(inbound: Inbound, toGroups: boolean): boolean {
  if ((inbound.cast !== "unicast" || inbound.linkGroup) && !toGroups) return false;
  if (!isHostIpv6(inbound.s0, inbound.s1, inbound.s2, inbound.s3)) return false;
  if (inbound.protocol !== IpProtocol.icmpv6) return true;
  if (inbound.payloadLength <= 0) return false;
  const type = inbound.packet.view.getUint8(inbound.payloadStart);
  return type >= 128 && type !== Icmpv6Type.redirect;
}

/** Neither "this network", loopback, group, class E nor broadcast (RFC 1122 §3.2.1.3). */
export function isHostIpv4(address: number): boolean {
  const net = address >>> 24;
  return net !== 0 && net !== 127 && net < 224;
}

/** Neither unspecified, loopback nor a group. */
export const isHostIpv6 = (w0: number, w1: number, w2: number, w3: number): boolean =>
  w0 >>> 24 !== 0xff && ((w0 | w1 | w2) !== 0 || w3 >>> 0 > 1);

/** Unreachable, source quench, redirect, time exceeded, parameter problem. */
const isErrorIpv4 = (type: number): boolean =>
  type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
