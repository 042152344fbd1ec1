import { IPV4_HEADER_LENGTH } from "../../wire/ipv4.ts";
import { IPV6_HEADER_LENGTH } from "../../wire/ipv6.ts";
import { Ipv6Walker } from "../../wire/ipv6-walker.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import { MAPPED } from "../ip-address.ts";
import type { Packet } from "../packet.ts";

const walker = new Ipv6Walker();

/**
 * Fills `inbound` from a packet that was accepted before and lies in a queue since, so that an ICMP
 * error can be sent about it; as if for one of our addresses. False: its headers make no sense.
 */
export function describePacket(inbound: Inbound, from: Interface, packet: Packet): boolean {
  const { view, start, end } = packet;
  if (end - start < IPV4_HEADER_LENGTH) return false;
  const version = view.getUint8(start) >>> 4;
  inbound.packet = packet;
  inbound.interface = from;
  inbound.headerStart = start;
  inbound.payloadEnd = end;
  inbound.cast = "unicast";
  inbound.linkGroup = false;
  inbound.reassembled = false;
  if (version === 4) return describeIpv4(inbound);
  return version === 6 && end - start >= IPV6_HEADER_LENGTH && describeIpv6(inbound);
}

function describeIpv4(inbound: Inbound): boolean {
  const { packet, headerStart } = inbound;
  const { view } = packet;
  inbound.version = 4;
  inbound.payloadStart = headerStart + (view.getUint8(headerStart) & 0xf) * 4;
  inbound.protocol = view.getUint8(headerStart + 9);
  inbound.hopLimit = view.getUint8(headerStart + 8);
  inbound.trafficClass = view.getUint8(headerStart + 1);
  inbound.s0 = 0;
  inbound.s1 = 0;
  inbound.s2 = MAPPED;
  inbound.s3 = view.getInt32(headerStart + 12);
  inbound.d0 = 0;
  inbound.d1 = 0;
  inbound.d2 = MAPPED;
  inbound.d3 = view.getInt32(headerStart + 16);
  return inbound.payloadStart <= inbound.payloadEnd;
}

function describeIpv6(inbound: Inbound): boolean {
  const { packet, headerStart, payloadEnd } = inbound;
  const { view } = packet;
  const nextHeader = view.getUint8(headerStart + 6);
  const payload = headerStart + IPV6_HEADER_LENGTH;
  if (walker.wrap(view, payload, payloadEnd, nextHeader) !== "ok") return false;
  inbound.version = 6;
  inbound.payloadStart = walker.payloadStart;
  inbound.protocol = walker.protocol;
  inbound.hopLimit = view.getUint8(headerStart + 7);
  inbound.trafficClass = (view.getUint16(headerStart) >>> 4) & 0xff;
  inbound.s0 = view.getInt32(headerStart + 8);
  inbound.s1 = view.getInt32(headerStart + 12);
  inbound.s2 = view.getInt32(headerStart + 16);
  inbound.s3 = view.getInt32(headerStart + 20);
  inbound.d0 = view.getInt32(headerStart + 24);
  inbound.d1 = view.getInt32(headerStart + 28);
  inbound.d2 = view.getInt32(headerStart + 32);
  inbound.d3 = view.getInt32(headerStart + 36);
  return true;
}
