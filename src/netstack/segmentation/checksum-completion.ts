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
  const checksum = missingChecksum(packet);
  if (checksum < 0) return false;
  packet.view.setUint16(packet.checksumStart + packet.checksumOffset, checksum);
  packet.checksum = "complete";
  return true;
}

/** What `partial` left to the device to write; −1: nothing, or the metadata points out of the packet. */
export function missingChecksum({
  checksum,
  checksumStart,
  checksumOffset,
  start,
  end,
  view,
}: Packet): number {
  if (checksum !== "partial") return -1;
  const field = checksumStart + checksumOffset;
  if (checksumStart < start || field < checksumStart || field + 2 > end) return -1;
  const sum = checksum16(view, checksumStart, end);
  // RFC 768: zero means "none", its other spelling is sent. For TCP that would be the spelling that no
  // sum of nonzero words has (RFC 1624 §3), and that analysers call wrong.
  return sum === 0 && checksumOffset === UDP_FIELD ? 0xffff : sum;
}
