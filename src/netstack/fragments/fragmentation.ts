import type { Packet } from "../packet.ts";

/**
 * Cuts an IP packet into fragments (RFC 791 §3.2, RFC 8200 §4.5). Use: `begin`, then `next` until it
 * says false. Whether it may be cut (DF) is the caller's to know.
 */
export class Fragmenter {
  /**
   * `packet` [start, end) begins with an IP header and stays as it is until the last `next`, but for a
   * partial checksum, which is completed in place. IPv4 keeps its identification; IPv6 gets
   * `identification`. False when it cannot be cut for that MTU.
   */
  begin(_packet: Packet, _mtu: number, _identification: number): boolean {
    return false;
  }

  /** Writes the next fragment into `out`, headroom in front; false when there is none left. */
  next(_out: Packet): boolean {
    return false;
  }
}
