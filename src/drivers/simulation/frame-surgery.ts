import { below, type Rng } from "../../core/random.ts";
import type { Packet } from "../../netstack/packet.ts";
import { completeChecksum } from "../../netstack/segmentation/checksum-completion.ts";
import { adjustChecksum } from "../../wire/checksum.ts";
import { EtherType } from "../../wire/ethernet.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";

const ETHERNET = 14;
const VLAN_TAG = 4;
/** Ethernet, IPv6 and TCP with timestamps: for long segments that do not say where TCP starts. */
const USUAL_HEADERS = 86;

type Medium = "ethernet" | "ip";

/** Where the IP header starts, or -1 when the frame carries none. */
export function ipStart(packet: Packet, medium: Medium): number {
  if (medium === "ip") return packet.start < packet.end ? packet.start : -1;
  let at = packet.start + ETHERNET;
  if (at >= packet.end) return -1;
  let type = packet.view.getUint16(at - 2);
  while (type === EtherType.vlan && at + VLAN_TAG < packet.end) {
    type = packet.view.getUint16(at + 2);
    at += VLAN_TAG;
  }
  return type === EtherType.ipv4 || type === EtherType.ipv6 ? at : -1;
}

/** The length of what an Ethernet frame carries, with its padding; of an IP packet all of it. */
export function ipLength(packet: Packet, medium: Medium): number {
  if (medium === "ip") return packet.end - packet.start;
  const at = ipStart(packet, medium);
  return packet.end - (at < 0 ? packet.start + ETHERNET : at);
}

/** Bytes on the link: a long segment is paid for as the frames into which a card would cut it. */
export function wireBytes(packet: Packet, medium: Medium): number {
  const length = packet.end - packet.start;
  if (packet.gsoSize === 0) return length;
  const headers = segmentHeaders(packet, medium);
  const segments = Math.ceil((length - headers) / packet.gsoSize);
  return segments <= 1 ? length : length + (segments - 1) * headers;
}

function segmentHeaders(packet: Packet, medium: Medium): number {
  const at = packet.checksumStart;
  if (packet.checksum !== "partial" || at + 13 > packet.end) {
    return medium === "ip" ? USUAL_HEADERS - ETHERNET : USUAL_HEADERS;
  }
  // The checksum field of TCP is at 16, of UDP at 6.
  const transport = packet.checksumOffset === 16 ? (packet.view.getUint8(at + 12) >>> 4) * 4 : 8;
  return at - packet.start + transport;
}

/** Turns ECT into CE (RFC 3168 §5); false when the packet does not allow it. */
export function markCongestion(packet: Packet, medium: Medium): boolean {
  const at = ipStart(packet, medium);
  if (at < 0 || at + 20 > packet.end) return false;
  const { view } = packet;
  const first = view.getUint16(at);
  if (first >>> 12 === 4) {
    if ((first & 3) === 0 || (first & 3) === 3) return false;
    view.setUint16(at, first | 3);
    view.setUint16(at + 10, adjustChecksum(view.getUint16(at + 10), first, first | 3));
    return true;
  }
  // The traffic class of IPv6 lies across the first two bytes: ECN is bits 4 and 5 of the second.
  const ecn = (first >>> 4) & 3;
  if (first >>> 12 !== 6 || ecn === 0 || ecn === 3) return false;
  view.setUint16(at, first | 0x30);
  return true;
}

/**
 * Flips one bit of an IP packet that some checksum covers; false for any other frame, which Ethernet's
 * own check would have taken away.
 */
export function corrupt(packet: Packet, medium: Medium, rng: Rng): boolean {
  const at = ipStart(packet, medium);
  if (at < 0 || !isChecked(packet, at)) return false;
  completeChecksum(packet);
  if (packet.checksum === "verified") packet.checksum = "complete";
  const bit = below(rng, (packet.end - at) * 8);
  const byte = at + (bit >>> 3);
  packet.bytes[byte] = packet.bytes[byte]! ^ (1 << (bit & 7));
  return true;
}

/** Whether the transport has a checksum: UDP over IPv4 may go without (RFC 768). */
function isChecked(packet: Packet, at: number): boolean {
  const { view, end } = packet;
  if (at + 40 > end || view.getUint8(at) >>> 4 !== 4) return true;
  const header = (view.getUint8(at) & 0xf) * 4;
  const fragmented = (view.getUint16(at + 6) & 0x3fff) !== 0;
  if (fragmented) return true;
  const udp = view.getUint8(at + 9) === IpProtocol.udp;
  return !udp || packet.checksum === "partial" || view.getUint16(at + header + 6) !== 0;
}
