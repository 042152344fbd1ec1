import { Icmpv4Type, UnreachableV4 } from "../../wire/icmpv4.ts";
import { Icmpv6Type, UnreachableV6 } from "../../wire/icmpv6.ts";
import { IPV4_HEADER_LENGTH } from "../../wire/ipv4.ts";
import { IPV6_HEADER_LENGTH } from "../../wire/ipv6.ts";
import { Ipv6Walker } from "../../wire/ipv6-walker.ts";
import { NO_DATA } from "../../wire/octets.ts";
import type { IcmpError, IcmpErrorKind } from "../ip/ip-layer.ts";
import { IPV4_ANY, Ip } from "../ip-address.ts";

/** The quoted packet must not be shorter: ports and, of TCP, the sequence number (RFC 792). */
const MIN_TRANSPORT = 8;

/** An ICMP error, read; one object is used for all. */
export class ReceivedError implements IcmpError {
  version: 4 | 6 = 4;
  kind: IcmpErrorKind = "host-unreachable";
  type = 0;
  code = 0;
  from = IPV4_ANY;
  source = IPV4_ANY;
  destination = IPV4_ANY;
  protocol = 0;
  view: DataView = NO_DATA;
  transportStart = 0;
  transportEnd = 0;
  mtu = 0;
  /** Of the packet as its header says: what a router without RFC 1191 found too long. */
  length = 0;
  readonly #walker = new Ipv6Walker();

  /** The message at view[start, end) has at least 8 octets. False: it tells us nothing. */
  readIpv4(view: DataView, start: number, end: number, from: Ip): boolean {
    this.type = view.getUint8(start);
    this.code = view.getUint8(start + 1);
    const kind = kindOfIpv4(this.type, this.code);
    if (kind === null) return false;
    this.from = from;
    this.kind = kind;
    this.mtu = kind === "packet-too-big" ? view.getUint16(start + 6) : 0;
    return this.quoteIpv4(view, start + 8, end);
  }

  readIpv6(view: DataView, start: number, end: number, from: Ip): boolean {
    this.type = view.getUint8(start);
    this.code = view.getUint8(start + 1);
    const kind = kindOfIpv6(this.type, this.code);
    if (kind === null) return false;
    this.from = from;
    this.kind = kind;
    this.mtu = kind === "packet-too-big" ? view.getUint32(start + 4) : 0;
    return this.quoteIpv6(view, start + 8, end);
  }

  /** Not `Ipv4View`: a quote is shorter than its header says. */
  quoteIpv4(view: DataView, at: number, end: number): boolean {
    if (end - at < IPV4_HEADER_LENGTH || view.getUint8(at) >>> 4 !== 4) return false;
    const headerLength = (view.getUint8(at) & 0xf) * 4;
    if (headerLength < IPV4_HEADER_LENGTH) return false;
    // Only the first fragment has the transport's header.
    if ((view.getUint16(at + 6) & 0x1fff) !== 0) return false;
    this.version = 4;
    this.protocol = view.getUint8(at + 9);
    this.source = Ip.read4(view, at + 12);
    this.destination = Ip.read4(view, at + 16);
    this.length = view.getUint16(at + 2);
    return this.#transport(view, at + headerLength, Math.min(end, at + this.length));
  }

  quoteIpv6(view: DataView, at: number, end: number): boolean {
    if (end - at < IPV6_HEADER_LENGTH || view.getUint8(at) >>> 4 !== 6) return false;
    this.version = 6;
    this.source = Ip.read6(view, at + 8);
    this.destination = Ip.read6(view, at + 24);
    this.length = IPV6_HEADER_LENGTH + view.getUint16(at + 4);
    const walker = this.#walker;
    const stop = Math.min(end, at + this.length);
    if (walker.wrap(view, at + IPV6_HEADER_LENGTH, stop, view.getUint8(at + 6)) !== "ok") {
      return false;
    }
    if (walker.fragmentOffset > 0) return false;
    this.protocol = walker.protocol;
    return this.#transport(view, walker.payloadStart, stop);
  }

  #transport(view: DataView, start: number, end: number): boolean {
    this.view = view;
    this.transportStart = start;
    this.transportEnd = end;
    return end - start >= MIN_TRANSPORT;
  }
}

/** RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1; null: no error, or one that is not to be believed. */
export function kindOfIpv4(type: number, code: number): IcmpErrorKind | null {
  switch (type) {
    case Icmpv4Type.unreachable:
      return kindOfUnreachableIpv4(code);
    case Icmpv4Type.timeExceeded:
      return code === 1 ? "reassembly-time-exceeded" : "time-exceeded";
    case Icmpv4Type.parameterProblem:
      return "parameter-problem";
    default:
      // RFC 6633 §3: source quench is to be ignored. Redirects are no errors for transports.
      return null;
  }
}

function kindOfUnreachableIpv4(code: number): IcmpErrorKind | null {
  switch (code) {
    case UnreachableV4.network:
    case 6:
    case 11:
      return "network-unreachable";
    case UnreachableV4.protocol:
      return "protocol-unreachable";
    case UnreachableV4.port:
      return "port-unreachable";
    case UnreachableV4.fragmentationNeeded:
      return "packet-too-big";
    case 9:
    case 10:
    case UnreachableV4.administrativelyProhibited:
    case 15:
      return "prohibited";
    default:
      return code <= 15 ? "host-unreachable" : null;
  }
}

/** RFC 4443 §3. */
export function kindOfIpv6(type: number, code: number): IcmpErrorKind | null {
  switch (type) {
    case Icmpv6Type.unreachable:
      return kindOfUnreachableIpv6(code);
    case Icmpv6Type.packetTooBig:
      return "packet-too-big";
    case Icmpv6Type.timeExceeded:
      return code === 1 ? "reassembly-time-exceeded" : "time-exceeded";
    case Icmpv6Type.parameterProblem:
      // Code 1: the peer does not know the protocol, which IPv4 says by "protocol unreachable".
      return code === 1 ? "protocol-unreachable" : "parameter-problem";
    default:
      return null;
  }
}

function kindOfUnreachableIpv6(code: number): IcmpErrorKind | null {
  switch (code) {
    case UnreachableV6.noRoute:
    case UnreachableV6.beyondScope:
      return "network-unreachable";
    case UnreachableV6.port:
      return "port-unreachable";
    case UnreachableV6.administrativelyProhibited:
    case UnreachableV6.policy:
    case UnreachableV6.rejectRoute:
      return "prohibited";
    default:
      return "host-unreachable";
  }
}
