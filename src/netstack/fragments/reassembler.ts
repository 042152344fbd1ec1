import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import type { Packet } from "../packet.ts";

/** A datagram whose rest did not come in time, of which the first fragment did. */
export interface ExpiredDatagram {
  readonly version: 4 | 6;
  readonly interface: Interface;
  /** As `Inbound.linkGroup`. */
  readonly linkGroup: boolean;
  /** The first fragment as it came, from its IP header on: what the ICMP error quotes. */
  readonly first: Packet;
}

/** Why `addIpv6` refused a fragment, where an ICMPv6 parameter problem is owed (RFC 8200 §4.5). */
export interface FragmentFault {
  /** Of the parameter problem: 0, or 3 for an incomplete header chain (RFC 7112 §5). */
  code: number;
  /** Into the packet, from its IPv6 header. */
  pointer: number;
}

/**
 * Puts datagrams together from fragments (RFC 791 §3.2, RFC 815, RFC 8200 §4.5).
 */
export class Reassembler {
  /** Of the last call that returned null: the error that is owed; else null. */
  fault: FragmentFault | null = null;

  /** `onExpired`: "reassembly time exceeded" is owed (RFC 1122 §3.3.2). */
  constructor(_context: StackContext, _onExpired: (datagram: ExpiredDatagram) => void) {}

  /**
   * Takes a fragment (offset, flags and identification are read from the header at
   * `inbound.headerStart`; `inbound.payloadEnd` is the packet's end). Returns the whole IP packet once
   * it is complete, valid until the next call: to be fed in again with `inbound.reassembled`.
   */
  addIpv4(_inbound: Inbound): Packet | null {
    return null;
  }

  /** The same; `fragmentAt` is the absolute offset of the fragment header. */
  addIpv6(_inbound: Inbound, _fragmentAt: number): Packet | null {
    return null;
  }
}
