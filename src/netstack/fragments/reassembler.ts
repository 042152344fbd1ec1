import { copyBytes } from "../../core/bytes.ts";
import { after, type Instant } from "../../core/time.ts";
import type { Timer, TimerTarget } from "../../core/transport.ts";
import { checksum16 } from "../../wire/checksum.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { Ipv6Walker } from "../../wire/ipv6-walker.ts";
import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import { PACKET_HEADROOM, Packet } from "../packet.ts";
import { type PartialDatagram, pieceCost } from "./partial-datagram.ts";
import { PartialDatagramTable } from "./partial-datagram-table.ts";

/** A datagram whose rest did not come in time, of which the first fragment did. */
export interface ExpiredDatagram {
  readonly version: 4 | 6;
  readonly interface: Interface;
  /** As `Inbound.linkGroup`. */
  readonly linkGroup: boolean;
  /** The first fragment as it came, from its IP header on: what the ICMP error quotes. */
  readonly first: Packet;
}

/** Why `addIpv6` refused a fragment, where an ICMPv6 parameter problem is owed. */
export interface FragmentFault {
  /** Of the parameter problem: 0, or 3 for an incomplete header chain (RFC 7112 §5). */
  code: number;
  /** Into the packet, from its IPv6 header. */
  pointer: number;
}

const IPV6_HEADER = 40;
const FRAGMENT_HEADER = 8;
const NOT_ECT = 1 << 0;
const CE = 1 << 3;

/**
 * Puts datagrams together from fragments (RFC 791 §3.2, RFC 815, RFC 8200 §4.5).
 *
 * Overlaps drop the whole datagram and what is still to come of it, in both families (RFC 5722 §4);
 * a fragment that comes twice with the same bytes counts once. Bounds: `fragmentedDatagrams` and
 * `fragmentBytes` (the oldest datagram goes), `fragmentsPerDatagram` (the datagram goes),
 * `fragmentTimeout` from the first fragment that came.
 */
export class Reassembler implements TimerTarget {
  /** Of the last call that returned null: the error that is owed; else null. */
  fault: FragmentFault | null = null;
  readonly #context: StackContext;
  readonly #onExpired: (datagram: ExpiredDatagram) => void;
  readonly #table: PartialDatagramTable;
  readonly #walker = new Ipv6Walker();
  readonly #whole = Packet.allocate(PACKET_HEADROOM + IPV6_HEADER + 65_535);
  readonly #timer: Timer;

  /** `onExpired`: "reassembly time exceeded" is owed (RFC 1122 §3.3.2). */
  constructor(context: StackContext, onExpired: (datagram: ExpiredDatagram) => void) {
    this.#context = context;
    this.#onExpired = onExpired;
    this.#table = new PartialDatagramTable(context);
    this.#timer = context.schedule(this, context.now());
    this.#timer.cancel();
  }

  /** Datagrams that are not complete, those among them that were dropped for overlaps. */
  get datagrams(): number {
    return this.#table.size;
  }

  /** What they are charged, in bytes; never above `limits.fragmentBytes`. */
  get bytes(): number {
    return this.#table.bytes;
  }

  /**
   * Takes a fragment (offset, flags and identification are read from the header at
   * `inbound.headerStart`; `inbound.payloadEnd` is the packet's end). Returns the whole IP packet once
   * it is complete, valid until the next call: to be fed in again with `inbound.reassembled`.
   */
  addIpv4(inbound: Inbound): Packet | null {
    this.fault = null;
    const { headerStart, payloadEnd } = inbound;
    const { view } = inbound.packet;
    const headerLength = (view.getUint8(headerStart) & 0x0f) * 4;
    const dataStart = headerStart + headerLength;
    const length = payloadEnd - dataStart;
    const flags = view.getUint16(headerStart + 6);
    const offset = (flags & 0x1fff) * 8;
    const more = (flags & 0x2000) !== 0;
    if (length <= 0 || (more && length % 8 !== 0)) return null;
    if (headerLength + offset + length > 65_535) return null;
    const protocol = view.getUint8(headerStart + 9);
    const datagram = this.#datagramOf(inbound, protocol, view.getUint16(headerStart + 4));
    datagram.ecn |= 1 << (view.getUint8(headerStart + 1) & 3);
    if (!this.#keep(datagram, inbound, offset, more, dataStart)) return null;
    if (offset === 0) datagram.headerLength = headerLength;
    return datagram.complete ? this.#assemble(datagram) : null;
  }

  /** The same; `fragmentAt` is the absolute offset of the fragment header. */
  addIpv6(inbound: Inbound, fragmentAt: number): Packet | null {
    this.fault = null;
    const { headerStart, payloadEnd } = inbound;
    const { view } = inbound.packet;
    const dataStart = fragmentAt + FRAGMENT_HEADER;
    // A fragment within a fragment has no honest use.
    if (inbound.reassembled || fragmentAt < headerStart + IPV6_HEADER || dataStart > payloadEnd) {
      return null;
    }
    const length = payloadEnd - dataStart;
    const field = view.getUint16(fragmentAt + 2);
    const offset = field & 0xfff8;
    const more = (field & 1) !== 0;
    // RFC 8200 §4.5: parameter problems that point at the payload length, and at the offset.
    if (more && length % 8 !== 0) return this.#refuse(0, 4);
    if (fragmentAt - headerStart - IPV6_HEADER + offset + length > 65_535) {
      return this.#refuse(0, fragmentAt + 2 - headerStart);
    }
    const nextHeader = view.getUint8(fragmentAt);
    // RFC 7112 §5: all headers are in the first fragment.
    if (offset === 0 && !this.#hasHeaders(view, dataStart, payloadEnd, nextHeader)) {
      return this.#refuse(3, 0);
    }
    const nextHeaderAt = offset === 0 ? nextHeaderBefore(view, headerStart, fragmentAt) : 0;
    if (nextHeaderAt < 0) return null;
    // RFC 6946 §4: a fragment that is the whole has nothing to do with any other.
    if (offset === 0 && !more) return this.#unwrap(inbound, fragmentAt, nextHeaderAt);
    if (length === 0) return null;
    const datagram = this.#datagramOf(inbound, 0, view.getInt32(fragmentAt + 4));
    datagram.ecn |= 1 << ((view.getUint8(headerStart + 1) >>> 4) & 3);
    if (!this.#keep(datagram, inbound, offset, more, dataStart)) return null;
    if (offset === 0) {
      datagram.headerLength = dataStart - headerStart;
      datagram.nextHeaderAt = nextHeaderAt;
      datagram.nextHeader = nextHeader;
    }
    return datagram.complete ? this.#assemble(datagram) : null;
  }

  /** Drops what has not been completed in time. */
  onTimer(now: Instant): void {
    let oldest = this.#table.oldest;
    for (; oldest !== null && oldest.expiresAt <= now; oldest = this.#table.oldest) {
      this.#table.remove(oldest);
      const { first, version, linkGroup } = oldest;
      if (first !== null) {
        const packet = Packet.allocate(PACKET_HEADROOM + first.length);
        packet.bytes.set(first, PACKET_HEADROOM);
        packet.end = PACKET_HEADROOM + first.length;
        this.#onExpired({ version, linkGroup, interface: oldest.interface, first: packet });
      }
    }
    if (oldest !== null) this.#timer.reschedule(oldest.expiresAt);
  }

  /** Forgets all, silently. */
  clear(): void {
    this.#timer.cancel();
    for (let one = this.#table.oldest; one !== null; one = this.#table.oldest) {
      this.#table.remove(one);
    }
  }

  #refuse(code: number, pointer: number): null {
    this.fault = { code, pointer };
    return null;
  }

  #datagramOf(inbound: Inbound, protocol: number, identification: number): PartialDatagram {
    const known = this.#table.find(inbound, protocol, identification);
    if (known !== null) return known;
    const expiresAt = after(this.#context.now(), this.#context.limits.fragmentTimeout);
    const datagram = this.#table.add(inbound, protocol, identification, expiresAt);
    if (!this.#timer.active) this.#timer.reschedule(this.#table.oldest!.expiresAt);
    return datagram;
  }

  /** Whether the fragment is new, and the datagram still wanted. */
  #keep(
    datagram: PartialDatagram,
    inbound: Inbound,
    offset: number,
    more: boolean,
    dataStart: number,
  ): boolean {
    if (datagram.discarded) return false;
    const { headerStart, payloadEnd } = inbound;
    const start = offset === 0 ? headerStart : dataStart;
    if (!this.#table.makeRoom(datagram, pieceCost(payloadEnd - start))) return false;
    const before = datagram.cost;
    const { bytes } = inbound.packet;
    const verdict = datagram.add(offset, more, bytes, headerStart, dataStart, payloadEnd);
    if (verdict === "duplicate") return false;
    if (verdict === "conflict" || datagram.pieces > this.#context.limits.fragmentsPerDatagram) {
      datagram.discard();
    }
    this.#table.charge(datagram.cost - before);
    datagram.linkGroup ||= inbound.linkGroup;
    return !datagram.discarded;
  }

  #hasHeaders(view: DataView, start: number, end: number, nextHeader: number): boolean {
    const status = this.#walker.wrap(view, start, end, nextHeader);
    // Other complaints are about the whole packet, and IP will make them.
    if (status !== "ok") return status !== "truncated";
    return end - this.#walker.payloadStart >= transportHeader(this.#walker.protocol);
  }

  #assemble(datagram: PartialDatagram): Packet | null {
    this.#table.remove(datagram);
    // RFC 3168 §5.3: congestion was met, and yet not all could say so: such a packet has to go.
    const marked = (datagram.ecn & CE) !== 0;
    if (marked && (datagram.ecn & NOT_ECT) !== 0) return null;
    const ipv4 = datagram.version === 4;
    const headerLength = datagram.headerLength - (ipv4 ? 0 : FRAGMENT_HEADER);
    const length = headerLength + datagram.total;
    if (length - (ipv4 ? 0 : IPV6_HEADER) > 65_535) return null;
    const packet = this.#whole;
    packet.reset();
    packet.end = packet.start + length;
    copyBytes(datagram.first!, 0, headerLength, packet.bytes, packet.start);
    datagram.copyTo(packet.bytes, packet.start + headerLength);
    if (ipv4) finishIpv4(packet, headerLength, marked);
    else finishIpv6(packet, datagram.nextHeaderAt, datagram.nextHeader, marked);
    return packet;
  }

  /** The packet without the fragment header. */
  #unwrap(inbound: Inbound, fragmentAt: number, nextHeaderAt: number): Packet {
    const { headerStart, payloadEnd } = inbound;
    const { bytes } = inbound.packet;
    const packet = this.#whole;
    packet.reset();
    const at = packet.start + fragmentAt - headerStart;
    copyBytes(bytes, headerStart, fragmentAt, packet.bytes, packet.start);
    copyBytes(bytes, fragmentAt + FRAGMENT_HEADER, payloadEnd, packet.bytes, at);
    packet.end = at + payloadEnd - fragmentAt - FRAGMENT_HEADER;
    finishIpv6(packet, nextHeaderAt, bytes[fragmentAt]!, false);
    return packet;
  }
}

/** What a transport's header has at least; 0 where that is not known. */
function transportHeader(protocol: number): number {
  if (protocol === IpProtocol.tcp) return 20;
  return protocol === IpProtocol.udp || protocol === IpProtocol.icmpv6 ? 8 : 0;
}

/** From the IPv6 header to the field that announces the header at `fragmentAt`; −1: there is none. */
function nextHeaderBefore(view: DataView, headerStart: number, fragmentAt: number): number {
  let field = headerStart + 6;
  let at = headerStart + IPV6_HEADER;
  while (at < fragmentAt) {
    const units = view.getUint8(at + 1);
    // RFC 4302 §2.2: the authentication header counts in 4 octets, less 2.
    const authentication = view.getUint8(field) === IpProtocol.authentication;
    field = at;
    at += authentication ? (units + 2) * 4 : (units + 1) * 8;
  }
  return at === fragmentAt ? field - headerStart : -1;
}

function finishIpv4(packet: Packet, headerLength: number, marked: boolean): void {
  const { view, start, end } = packet;
  if (marked) view.setUint8(start + 1, view.getUint8(start + 1) | 3);
  view.setUint16(start + 2, end - start);
  view.setUint16(start + 6, 0);
  view.setUint16(start + 10, 0);
  view.setUint16(start + 10, checksum16(view, start, start + headerLength));
}

function finishIpv6(
  packet: Packet,
  nextHeaderAt: number,
  nextHeader: number,
  marked: boolean,
): void {
  const { view, start, end } = packet;
  if (marked) view.setUint8(start + 1, view.getUint8(start + 1) | 0x30);
  view.setUint16(start + 4, end - start - IPV6_HEADER);
  view.setUint8(start + nextHeaderAt, nextHeader);
}
