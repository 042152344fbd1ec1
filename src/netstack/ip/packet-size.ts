import { GsoType } from "../../wire/virtio-net.ts";
import type { Packet } from "../packet.ts";

/** Octets of a UDP header. */
const UDP_HEADER = 8;
const TCP_DATA_OFFSET = 12;

/**
 * How long packet[start, end), an IP packet, is on the wire: itself, or for one that is to be cut into
 * segments the longest of them. `transportStart` is where its TCP or UDP header starts.
 */
export function wireLength(packet: Packet, transportStart: number): number {
  const length = packet.end - packet.start;
  if (packet.gsoType === GsoType.none) return length;
  const tcp = (packet.gsoType & ~GsoType.ecn) !== GsoType.udpSegments;
  if (tcp && transportStart + TCP_DATA_OFFSET >= packet.end) return length;
  const header = tcp
    ? (packet.view.getUint8(transportStart + TCP_DATA_OFFSET) >>> 4) * 4
    : UDP_HEADER;
  return Math.min(length, transportStart - packet.start + header + packet.gsoSize);
}
