import type { Packet } from "../../netstack/packet.ts";
import { GsoType, VirtioNetFlag } from "../../wire/virtio-net.ts";

/*
 * Between the metadata of a packet and the virtio-net header that TAP has before it (Virtual I/O Device
 * 1.2 §5.1.6): field by field, as a repr for each packet would cost an allocation.
 */
const FLAGS = 0;
const GSO_TYPE = 1;
const HEADER_LENGTH = 2;
const GSO_SIZE = 4;
const CHECKSUM_START = 6;
const CHECKSUM_OFFSET = 8;

const TCP_CHECKSUM_OFFSET = 16;
const UDP_HEADER = 8;

/** Writes the header of 10 bytes at `at`, which says what the kernel is to finish. */
export function writeVirtioHeader(packet: Packet, view: DataView, at: number, start: number): void {
  view.setInt32(at, 0);
  view.setInt32(at + 4, 0);
  view.setInt16(at + 8, 0);
  if (packet.checksum === "verified") view.setUint8(at + FLAGS, VirtioNetFlag.dataValid);
  if (packet.checksum !== "partial") return;
  // Relative to the frame; `start` is where it begins in `view`.
  const from = packet.checksumStart - packet.start;
  view.setUint8(at + FLAGS, VirtioNetFlag.needsChecksum);
  view.setUint16(at + CHECKSUM_START, from, true);
  view.setUint16(at + CHECKSUM_OFFSET, packet.checksumOffset, true);
  if (packet.gsoType === GsoType.none) return;
  const tcp = packet.checksumOffset === TCP_CHECKSUM_OFFSET;
  const transport = tcp ? (view.getUint8(start + from + 12) >>> 4) * 4 : UDP_HEADER;
  view.setUint8(at + GSO_TYPE, packet.gsoType);
  view.setUint16(at + HEADER_LENGTH, from + transport, true);
  view.setUint16(at + GSO_SIZE, packet.gsoSize, true);
}

/** Takes over the header at `at` for the frame packet[start, end); false when it points out of it. */
export function readVirtioHeader(packet: Packet, at: number): boolean {
  const { view } = packet;
  packet.clearOffload();
  const flags = view.getUint8(at + FLAGS);
  packet.gsoType = view.getUint8(at + GSO_TYPE);
  if (packet.gsoType !== GsoType.none) packet.gsoSize = view.getUint16(at + GSO_SIZE, true);
  if ((flags & VirtioNetFlag.needsChecksum) === 0) {
    if ((flags & VirtioNetFlag.dataValid) !== 0) packet.checksum = "verified";
    return true;
  }
  packet.checksum = "partial";
  packet.checksumStart = packet.start + view.getUint16(at + CHECKSUM_START, true);
  packet.checksumOffset = view.getUint16(at + CHECKSUM_OFFSET, true);
  return packet.checksumStart + packet.checksumOffset + 2 <= packet.end;
}
