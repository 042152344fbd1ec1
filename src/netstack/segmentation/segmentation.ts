import type { Packet } from "../packet.ts";

/**
 * Sums what `partial` left to the device, in place. False when the packet's own metadata points out
 * of it.
 */
export function completeChecksum(_packet: Packet): boolean {
  return false;
}

/**
 * Cuts a packet with `gsoType` into segments, for devices that do not: `begin`, then `next` until it
 * says false.
 */
export class Segmenter {
  /**
   * packet[start, networkStart) is a link header or empty. `keepPartial`: the device takes partial
   * checksums. A packet without `gsoType` is one segment. False when it cannot be cut.
   */
  begin(_packet: Packet, _networkStart = _packet.start, _keepPartial = false): boolean {
    return false;
  }

  /** Writes the next segment into `out`, headroom in front; false when there is none left. */
  next(_out: Packet): boolean {
    return false;
  }
}
