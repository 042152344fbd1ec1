import type { Interface } from "./interface.ts";
import { Ip, MAPPED } from "./ip-address.ts";
import type { Packet } from "./packet.ts";

/** How the destination names us. */
export type Cast = "unicast" | "multicast" | "broadcast";

/**
 * What the IP layer knows of the packet that is being received. One object per stack, filled anew for
 * each packet and valid until the callee returns; offsets are into `packet.view`.
 */
export class Inbound {
  version: 4 | 6 = 4;
  packet!: Packet;
  /** Where it came in. */
  interface!: Interface;
  /** The IP header. */
  headerStart = 0;
  /** The transport header, after options and extension headers. */
  payloadStart = 0;
  payloadEnd = 0;
  /** Of the transport: the last "next header". */
  protocol = 0;
  /** TTL or hop limit as received. */
  hopLimit = 0;
  /** The whole octet: DSCP and, in the low two bits, ECN (RFC 3168 §5). */
  trafficClass = 0;
  cast: Cast = "unicast";
  /** The frame was addressed to a group at the link: no ICMP error may answer it (RFC 1122 §3.2.2). */
  linkGroup = false;
  /** Put together from fragments. */
  reassembled = false;
  /** Source and destination, signed words as in `Ip`. */
  s0 = 0;
  s1 = 0;
  s2 = 0;
  s3 = 0;
  d0 = 0;
  d1 = 0;
  d2 = 0;
  d3 = 0;

  /** Takes over what an IPv4 header says at fixed offsets; it must be whole. */
  readIpv4(view: DataView, start: number): void {
    this.version = 4;
    this.headerStart = start;
    this.trafficClass = view.getUint8(start + 1);
    this.hopLimit = view.getUint8(start + 8);
    this.protocol = view.getUint8(start + 9);
    this.s0 = 0;
    this.s1 = 0;
    this.s2 = MAPPED;
    this.s3 = view.getInt32(start + 12);
    this.d0 = 0;
    this.d1 = 0;
    this.d2 = MAPPED;
    this.d3 = view.getInt32(start + 16);
  }

  /** The same of an IPv6 header; `protocol` is its next header, which may be an extension. */
  readIpv6(view: DataView, start: number): void {
    this.version = 6;
    this.headerStart = start;
    this.trafficClass = (view.getUint16(start) >>> 4) & 0xff;
    this.protocol = view.getUint8(start + 6);
    this.hopLimit = view.getUint8(start + 7);
    this.s0 = view.getInt32(start + 8);
    this.s1 = view.getInt32(start + 12);
    this.s2 = view.getInt32(start + 16);
    this.s3 = view.getInt32(start + 20);
    this.d0 = view.getInt32(start + 24);
    this.d1 = view.getInt32(start + 28);
    this.d2 = view.getInt32(start + 32);
    this.d3 = view.getInt32(start + 36);
  }

  get payloadLength(): number {
    return this.payloadEnd - this.payloadStart;
  }

  /** Allocates: for new flows, not for each packet. */
  source(): Ip {
    return Ip.fromWords(this.version, this.s0, this.s1, this.s2, this.s3);
  }

  destination(): Ip {
    return Ip.fromWords(this.version, this.d0, this.d1, this.d2, this.d3);
  }

  isFrom(ip: Ip): boolean {
    return this.s3 === ip.w3 && this.s2 === ip.w2 && this.s1 === ip.w1 && this.s0 === ip.w0;
  }

  isTo(ip: Ip): boolean {
    return this.d3 === ip.w3 && this.d2 === ip.w2 && this.d1 === ip.w1 && this.d0 === ip.w0;
  }
}
