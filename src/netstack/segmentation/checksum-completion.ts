import { checksum16 } from "../../wire/checksum.ts";
import type { Packet } from "../packet.ts";

/**
 * Sums what `partial` left to the device, in place. False when the packet's own metadata points out
 * of it.
 */
export function completeChecksum(packet: Packet): boolean {
  if (packet.checksum !== "partial") return true;
  const { checksumStart, end, view } = packet;
  const field = checksumStart + packet.checksumOffset;
  if (checksumStart < packet.start || field < checksumStart || field + 2 > end) return false;
  const checksum = checksum16(view, checksumStart, end);
  // For UDP zero means "none" (RFC 768); its other spelling is right for TCP as well.
  view.setUint16(field, checksum === 0 ? 0xffff : checksum);
  packet.checksum = "complete";
  return true;
}
