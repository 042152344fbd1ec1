import { pseudoSumV6 } from "./checksum.ts";
import { type Ipv6Words, isIpv6At, readIpv6, writeIpv6 } from "./ipv6-address.ts";
import { hasRoom, NO_DATA } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** The header of IPv6 (RFC 8200 §3). Jumbograms (RFC 2675) are not supported. */
const VERSION_CLASS_LABEL = 0;
const PAYLOAD_LENGTH = 4;
const NEXT_HEADER = 6;
const HOP_LIMIT = 7;
const SOURCE = 8;
const DESTINATION = 24;
export const IPV6_HEADER_LENGTH = 40;

export class Ipv6View {
  dv: DataView = NO_DATA;
  start = 0;
  /** By the payload length; octets after it are not part of the packet. */
  payloadEnd = 0;

  /** The payload, extension headers and all, is for `Ipv6Walker`. */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    const room = end - start;
    if (room < 1) return "truncated";
    if (dv.getUint8(start + VERSION_CLASS_LABEL) >>> 4 !== 6) return "unsupported";
    if (room < IPV6_HEADER_LENGTH) return "truncated";
    const length = IPV6_HEADER_LENGTH + dv.getUint16(start + PAYLOAD_LENGTH);
    if (room < length) return "truncated";
    this.dv = dv;
    this.start = start;
    this.payloadEnd = start + length;
    return "ok";
  }

  /** Differentiated services code point, 0 to 63 (RFC 2474 §3). */
  get dscp(): number {
    return (this.dv.getUint16(this.start + VERSION_CLASS_LABEL) >>> 6) & 0x3f;
  }

  /** Explicit congestion notification, 0 to 3 (RFC 3168 §5). */
  get ecn(): number {
    return (this.dv.getUint8(this.start + VERSION_CLASS_LABEL + 1) >>> 4) & 3;
  }

  /** 20 bits (RFC 6437). */
  get flowLabel(): number {
    return this.dv.getUint32(this.start + VERSION_CLASS_LABEL) & 0xf_ffff;
  }

  /** The type of the first extension header, or of the payload. */
  get nextHeader(): number {
    return this.dv.getUint8(this.start + NEXT_HEADER);
  }

  get hopLimit(): number {
    return this.dv.getUint8(this.start + HOP_LIMIT);
  }

  /** Where the 16 octets of the source address are; those of the destination follow them. */
  get sourceAt(): number {
    return this.start + SOURCE;
  }

  get destinationAt(): number {
    return this.start + DESTINATION;
  }

  get payloadStart(): number {
    return this.start + IPV6_HEADER_LENGTH;
  }

  /** One of the four words of the source address, 0 being the most significant. */
  sourceWord(index: 0 | 1 | 2 | 3): number {
    return this.dv.getUint32(this.start + SOURCE + index * 4);
  }

  destinationWord(index: 0 | 1 | 2 | 3): number {
    return this.dv.getUint32(this.start + DESTINATION + index * 4);
  }

  isFrom(address: Ipv6Words): boolean {
    return isIpv6At(this.dv, this.start + SOURCE, address);
  }

  isFor(address: Ipv6Words): boolean {
    return isIpv6At(this.dv, this.start + DESTINATION, address);
  }

  /**
   * The sum of the pseudo header for an upper-layer packet of `length` octets. Not for packets with a
   * routing header that has segments left (RFC 8200 §8.1: the final destination counts).
   */
  pseudoSum(protocol: number, length: number): number {
    return pseudoSumV6(this.dv, this.start + SOURCE, protocol, length);
  }

  set hopLimit(hopLimit: number) {
    this.dv.setUint8(this.start + HOP_LIMIT, hopLimit);
  }

  set ecn(ecn: number) {
    const at = this.start + VERSION_CLASS_LABEL + 1;
    this.dv.setUint8(at, (this.dv.getUint8(at) & 0xcf) | ((ecn & 3) << 4));
  }
}

export interface Ipv6Repr {
  /** 0 to 63. */
  readonly dscp: number;
  /** 0 to 3. */
  readonly ecn: number;
  /** 20 bits. */
  readonly flowLabel: number;
  /** Octets after this header, extension headers among them, up to 65535. */
  readonly payloadLength: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly source: Ipv6Words;
  readonly destination: Ipv6Words;
}

export function parseIpv6(view: Ipv6View): Ipv6Repr {
  return {
    dscp: view.dscp,
    ecn: view.ecn,
    flowLabel: view.flowLabel,
    payloadLength: view.payloadEnd - view.payloadStart,
    nextHeader: view.nextHeader,
    hopLimit: view.hopLimit,
    source: readIpv6(view.dv, view.sourceAt),
    destination: readIpv6(view.dv, view.destinationAt),
  };
}

export const ipv6Length = (): number => IPV6_HEADER_LENGTH;

/** Writes the header; returns where extension headers or the payload go, or -1 without room. */
export function emitIpv6(repr: Ipv6Repr, dv: DataView, start: number): number {
  if (!hasRoom(dv, start, IPV6_HEADER_LENGTH)) return -1;
  const trafficClass = (repr.dscp << 2) | (repr.ecn & 3);
  const label = repr.flowLabel & 0xf_ffff;
  dv.setUint32(start + VERSION_CLASS_LABEL, ((6 << 28) | (trafficClass << 20) | label) >>> 0);
  dv.setUint16(start + PAYLOAD_LENGTH, repr.payloadLength);
  dv.setUint8(start + NEXT_HEADER, repr.nextHeader);
  dv.setUint8(start + HOP_LIMIT, repr.hopLimit);
  writeIpv6(dv, start + SOURCE, repr.source);
  return writeIpv6(dv, start + DESTINATION, repr.destination);
}
