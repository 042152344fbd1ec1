import { IPV4_HEADER_LENGTH } from "../../wire/ipv4.ts";
import { IPV6_HEADER_LENGTH } from "../../wire/ipv6.ts";
import { Ipv6Walker } from "../../wire/ipv6-walker.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
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
  inbound.readIpv4(view, headerStart);
  inbound.payloadStart = headerStart + (view.getUint8(headerStart) & 0xf) * 4;
  return inbound.payloadStart <= inbound.payloadEnd;
}

function describeIpv6(inbound: Inbound): boolean {
  const { packet, headerStart, payloadEnd } = inbound;
  const { view } = packet;
  const nextHeader = view.getUint8(headerStart + 6);
  const payload = headerStart + IPV6_HEADER_LENGTH;
  if (walker.wrap(view, payload, payloadEnd, nextHeader) !== "ok") return false;
  inbound.readIpv6(view, headerStart);
  inbound.payloadStart = walker.payloadStart;
  inbound.protocol = walker.protocol;
  return true;
}
