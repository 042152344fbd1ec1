import { copyBytes } from "../../core/bytes.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { fillUdpChecksum } from "../../wire/udp.ts";
import { GsoType } from "../../wire/virtio-net.ts";
import { pseudoSumOf } from "../icmp/pseudo-sum.ts";
import type { IpLayer, Path, SendVerdict } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";
import type { UdpSocket } from "./udp-socket.ts";

const HEADER = 8;
const CHECKSUM = 6;
/** Datagrams in one train: what Linux takes (UDP_MAX_SEGMENTS). */
const MAX_TRAIN = 64;

const ipHeader = (version: 4 | 6): number => (version === 4 ? 20 : 40);

/** Bytes of payload that fit into a datagram: 65,507, or 65,527 where the IP header does not count. */
const longest = (version: 4 | 6): number => 65_535 - HEADER - (version === 4 ? 20 : 0);

/** Writes header and payload behind the packet's start; the checksum is zero. */
export function writeDatagram(
  packet: Packet,
  sourcePort: number,
  destinationPort: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const at = packet.start;
  const { view } = packet;
  packet.end = at + HEADER + end - start;
  view.setUint16(at, sourcePort);
  view.setUint16(at + 2, destinationPort);
  view.setUint16(at + 4, packet.end - at);
  view.setUint16(at + CHECKSUM, 0);
  copyBytes(bytes, start, end, packet.bytes, at + HEADER);
}

/** Sums all of it, or the pseudo header alone where the device or the segmenter does the rest. */
export function sumDatagram(packet: Packet, source: Ip, destination: Ip, partial: boolean): void {
  const { start, end, view } = packet;
  const pseudo = pseudoSumOf(source, destination, IpProtocol.udp, end - start);
  if (!partial) {
    fillUdpChecksum(view, start, end, pseudo);
    return;
  }
  view.setUint16(start + CHECKSUM, pseudo);
  packet.checksum = "partial";
  packet.checksumStart = start;
  packet.checksumOffset = CHECKSUM;
}

export function sendDatagram(
  ip: IpLayer,
  socket: UdpSocket,
  path: Path,
  port: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): SendVerdict {
  const { version } = path.destination;
  if (end - start > longest(version)) return "too-big";
  const packet = ip.scratch();
  writeDatagram(packet, socket.binding.localPort, port, bytes, start, end);
  // A fragment has only a part of what the checksum covers.
  const whole = packet.length + ipHeader(version) <= path.mtu;
  const partial = whole && path.interface.device.offload.checksum;
  sumDatagram(packet, path.source, path.destination, partial);
  return submit(ip, socket, path, packet);
}

/** Sends bytes[start, stop), as `stopAfterTrain` bounds it, as datagrams of `size` bytes in one packet. */
export function sendTrain(
  ip: IpLayer,
  socket: UdpSocket,
  path: Path,
  port: number,
  bytes: Uint8Array,
  start: number,
  stop: number,
  size: number,
): SendVerdict {
  if (stop - start <= size) return sendDatagram(ip, socket, path, port, bytes, start, stop);
  const packet = ip.scratch();
  writeDatagram(packet, socket.binding.localPort, port, bytes, start, stop);
  sumDatagram(packet, path.source, path.destination, true);
  packet.gsoType = GsoType.udpSegments;
  packet.gsoSize = size;
  return submit(ip, socket, path, packet);
}

/** Where a train from `start` on has to stop: at `end`, or at as many datagrams as one packet takes. */
export function stopAfterTrain(path: Path, start: number, end: number, size: number): number {
  const { version } = path.destination;
  // Those that do not fit the path are fragmented, or refused, one by one.
  if (size + HEADER + ipHeader(version) > path.mtu) return Math.min(end, start + size);
  const count = Math.min(MAX_TRAIN, Math.floor(longest(4) / size));
  return Math.min(end, start + count * size);
}

function submit(ip: IpLayer, socket: UdpSocket, path: Path, packet: Packet): SendVerdict {
  const hopLimit = path.destination.isMulticast ? socket.multicastHopLimit : socket.hopLimit;
  const { trafficClass, fragmenting } = socket;
  return ip.send(path, packet, IpProtocol.udp, hopLimit, trafficClass, fragmenting);
}
