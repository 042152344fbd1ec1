import { checksum16 } from "../../wire/checksum.ts";
import type { Packet } from "../packet.ts";

/** Where the checksum of a UDP header is; TCP's is at 16. */
const UDP_FIELD = 6;

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
  // RFC 768: zero means "none", its other spelling is sent. For TCP that would be the spelling that no
  // sum of nonzero words has (RFC 1624 §3), and that analysers call wrong.
  const isUdp = packet.checksumOffset === UDP_FIELD;
  view.setUint16(field, checksum === 0 && isUdp ? 0xffff : checksum);
  packet.checksum = "complete";
  return true;
}
