import { adjustChecksum, checksum16, pseudoSumV4, verifies } from "./checksum.ts";
import {
  emitIpv4Options,
  type Ipv4Option,
  ipv4OptionsLength,
  parseIpv4Options,
} from "./ipv4-options.ts";
import { hasRoom, NO_DATA } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** The header of IPv4 (RFC 791 §3.1). */
const VERSION_AND_LENGTH = 0;
const SERVICE = 1;
const TOTAL_LENGTH = 2;
const IDENTIFICATION = 4;
const FLAGS_AND_OFFSET = 6;
const TTL = 8;
const PROTOCOL = 9;
const CHECKSUM = 10;
const SOURCE = 12;
const DESTINATION = 16;
export const IPV4_HEADER_LENGTH = 20;

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;

export class Ipv4View {
  dv: DataView = NO_DATA;
  start = 0;
  /** 20 to 60. */
  headerLength = 0;
  payloadStart = 0;
  /** By the total length; octets after it (a frame's padding) are not part of the packet. */
  payloadEnd = 0;

  /** Neither the checksum nor the options are looked at. */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    const room = end - start;
    if (room < 1) return "truncated";
    const first = dv.getUint8(start + VERSION_AND_LENGTH);
    if (first >>> 4 !== 4) return "unsupported";
    const headerLength = (first & 0x0f) * 4;
    if (headerLength < IPV4_HEADER_LENGTH) return "malformed";
    if (room < headerLength) return "truncated";
    const totalLength = dv.getUint16(start + TOTAL_LENGTH);
    if (totalLength < headerLength) return "malformed";
    if (room < totalLength) return "truncated";
    this.dv = dv;
    this.start = start;
    this.headerLength = headerLength;
    this.payloadStart = start + headerLength;
    this.payloadEnd = start + totalLength;
    return "ok";
  }

  /** Differentiated services code point, 0 to 63 (RFC 2474 §3). */
  get dscp(): number {
    return this.dv.getUint8(this.start + SERVICE) >>> 2;
  }

  /** Explicit congestion notification, 0 to 3 (RFC 3168 §5). */
  get ecn(): number {
    return this.dv.getUint8(this.start + SERVICE) & 3;
  }

  get totalLength(): number {
    return this.payloadEnd - this.start;
  }

  get identification(): number {
    return this.dv.getUint16(this.start + IDENTIFICATION);
  }

  get dontFragment(): boolean {
    return (this.flagsAndOffset & DONT_FRAGMENT) !== 0;
  }

  get moreFragments(): boolean {
    return (this.flagsAndOffset & MORE_FRAGMENTS) !== 0;
  }

  /** In octets, a multiple of 8. */
  get fragmentOffset(): number {
    return (this.flagsAndOffset & OFFSET_MASK) * 8;
  }

  get isFragment(): boolean {
    return (this.flagsAndOffset & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0;
  }

  get ttl(): number {
    return this.dv.getUint8(this.start + TTL);
  }

  get protocol(): number {
    return this.dv.getUint8(this.start + PROTOCOL);
  }

  get checksum(): number {
    return this.dv.getUint16(this.start + CHECKSUM);
  }

  /** An unsigned 32-bit number, as all IPv4 addresses here. */
  get source(): number {
    return this.dv.getUint32(this.start + SOURCE);
  }

  get destination(): number {
    return this.dv.getUint32(this.start + DESTINATION);
  }

  /** The checksum of the header (RFC 1122 §3.2.1.2: a host must verify it). */
  get checksumVerifies(): boolean {
    return verifies(this.dv, this.start, this.payloadStart);
  }

  /** The sum of the pseudo header for the payload, where it is a whole TCP or UDP segment. */
  get pseudoSum(): number {
    const length = this.payloadEnd - this.payloadStart;
    return pseudoSumV4(this.source, this.destination, this.protocol, length);
  }

  private get flagsAndOffset(): number {
    return this.dv.getUint16(this.start + FLAGS_AND_OFFSET);
  }

  /** The setters leave the checksum: `fillChecksum` comes after the last one. */
  set ttl(ttl: number) {
    this.dv.setUint8(this.start + TTL, ttl);
  }

  set ecn(ecn: number) {
    const at = this.start + SERVICE;
    this.dv.setUint8(at, (this.dv.getUint8(at) & 0xfc) | (ecn & 3));
  }

  set identification(identification: number) {
    this.dv.setUint16(this.start + IDENTIFICATION, identification);
  }

  set checksum(checksum: number) {
    this.dv.setUint16(this.start + CHECKSUM, checksum);
  }

  set source(address: number) {
    this.dv.setUint32(this.start + SOURCE, address);
  }

  set destination(address: number) {
    this.dv.setUint32(this.start + DESTINATION, address);
  }

  fillChecksum(): void {
    this.checksum = 0;
    this.checksum = checksum16(this.dv, this.start, this.payloadStart);
  }

  /** One hop further: the checksum follows (RFC 1624). The TTL must not be zero. */
  decrementTtl(): void {
    const before = this.dv.getUint16(this.start + TTL);
    this.dv.setUint16(this.start + TTL, before - 0x100);
    this.checksum = adjustChecksum(this.checksum, before, before - 0x100);
  }
}

export interface Ipv4Repr {
  /** 0 to 63. */
  readonly dscp: number;
  /** 0 to 3. */
  readonly ecn: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In octets, a multiple of 8, up to 65528. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: number;
  readonly destination: number;
  /** At most 40 octets altogether. */
  readonly options: readonly Ipv4Option[];
  /** Octets after the header, which with it are at most 65535. */
  readonly payloadLength: number;
}

/** Null when the options are malformed or the checksum is wrong. */
export function parseIpv4(view: Ipv4View): Ipv4Repr | null {
  const options = parseIpv4Options(view.dv, view.start + IPV4_HEADER_LENGTH, view.payloadStart);
  if (options === null || !view.checksumVerifies) return null;
  return {
    dscp: view.dscp,
    ecn: view.ecn,
    identification: view.identification,
    dontFragment: view.dontFragment,
    moreFragments: view.moreFragments,
    fragmentOffset: view.fragmentOffset,
    ttl: view.ttl,
    protocol: view.protocol,
    source: view.source,
    destination: view.destination,
    options,
    payloadLength: view.payloadEnd - view.payloadStart,
  };
}

/** Of the header with its options, 20 to 60. */
export const ipv4Length = (repr: Ipv4Repr): number =>
  IPV4_HEADER_LENGTH + ipv4OptionsLength(repr.options);

/** Writes the header with its checksum; returns where the payload goes, or -1 without room for it. */
export function emitIpv4(repr: Ipv4Repr, dv: DataView, start: number): number {
  const headerLength = ipv4Length(repr);
  if (!hasRoom(dv, start, headerLength)) return -1;
  const flags = (repr.dontFragment ? DONT_FRAGMENT : 0) | (repr.moreFragments ? MORE_FRAGMENTS : 0);
  dv.setUint8(start + VERSION_AND_LENGTH, 0x40 | (headerLength / 4));
  dv.setUint8(start + SERVICE, (repr.dscp << 2) | (repr.ecn & 3));
  dv.setUint16(start + TOTAL_LENGTH, headerLength + repr.payloadLength);
  dv.setUint16(start + IDENTIFICATION, repr.identification);
  dv.setUint16(start + FLAGS_AND_OFFSET, flags | ((repr.fragmentOffset >>> 3) & OFFSET_MASK));
  dv.setUint8(start + TTL, repr.ttl);
  dv.setUint8(start + PROTOCOL, repr.protocol);
  dv.setUint16(start + CHECKSUM, 0);
  dv.setUint32(start + SOURCE, repr.source);
  dv.setUint32(start + DESTINATION, repr.destination);
  const end = emitIpv4Options(repr.options, dv, start + IPV4_HEADER_LENGTH);
  dv.setUint16(start + CHECKSUM, checksum16(dv, start, end));
  return end;
}
