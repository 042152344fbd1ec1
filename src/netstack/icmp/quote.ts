import type { Inbound } from "../inbound.ts";
import type { Packet } from "../packet.ts";
import { missingChecksum } from "../segmentation/checksum-completion.ts";

/**
 * Writes the head of a packet, at most `room` bytes of it, to `into` from `at` on; returns its end there.
 * A checksum that was left to a device is only begun in it: its sender is to see the packet as it would
 * have been on the wire.
 */
export function writeQuote(about: Inbound, into: Packet, at: number, room: number): number {
  const { packet, headerStart, payloadEnd } = about;
  const length = Math.min(payloadEnd - headerStart, room);
  const end = at + length;
  into.bytes.set(packet.bytes.subarray(headerStart, headerStart + length), at);
  const sum = missingChecksum(packet);
  const field = packet.checksumStart + packet.checksumOffset - headerStart + at;
  if (sum >= 0 && field + 2 <= end) into.view.setUint16(field, sum);
  return end;
}
