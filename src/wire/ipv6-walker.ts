import { IpProtocol } from "./ip-protocol.ts";
import { NO_DATA } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** What extension headers have in common (RFC 8200 §4): the type of the next one, and a length. */
const NEXT_HEADER = 0;
const LENGTH = 1;
const ROUTING_TYPE = 2;
const SEGMENTS_LEFT = 3;
const FRAGMENT_OFFSET = 2;
const FRAGMENT_IDENTIFICATION = 4;

/** RFC 8883 §3 lets a node bound what it follows; the order of RFC 8200 §4.1 has seven headers. */
const MAX_HEADERS = 8;
/** Octets of all extension headers together. */
const MAX_LENGTH = 2048;

/**
 * Walks the extension headers of a packet once, from the type in its IPv6 header to the payload. Told
 * are the positions of the headers that were seen (−1: none; of destination options the last). ESP
 * (RFC 4303), "no next header" and protocols end the walk; so does a fragment that is not the first,
 * since what follows its header continues something else.
 */
export class Ipv6Walker {
  dv: DataView = NO_DATA;
  /** What the payload is: a protocol, or 59 for nothing at all. */
  protocol = 0;
  payloadStart = 0;
  payloadEnd = 0;
  hopByHopAt = -1;
  destinationOptionsAt = -1;
  routingAt = -1;
  fragmentAt = -1;
  /** The octet that is at fault when the status is `malformed` (RFC 4443 §3.4, the pointer); else −1. */
  problemAt = -1;

  /** On the payload of an `Ipv6View`, whose next header and start are given. */
  wrap(
    dv: DataView,
    start: number,
    end: number,
    nextHeader: number,
    nextHeaderAt = start,
  ): WireStatus {
    this.dv = dv;
    this.payloadEnd = end;
    this.hopByHopAt = -1;
    this.destinationOptionsAt = -1;
    this.routingAt = -1;
    this.fragmentAt = -1;
    this.problemAt = -1;
    let type = nextHeader;
    let typeAt = nextHeaderAt;
    let at = start;
    for (let seen = 0; isExtension(type); seen++) {
      if (seen === MAX_HEADERS) return "limit";
      // RFC 8200 §4.1: hop-by-hop options come first or not at all.
      if (type === IpProtocol.hopByHop && seen > 0) return this.blame(typeAt);
      if (end - at < 8) return "truncated";
      const length = extensionLength(type, dv.getUint8(at + LENGTH));
      if (length > end - at) return "truncated";
      if (at + length - start > MAX_LENGTH) return "limit";
      if (type === IpProtocol.fragment && this.fragmentAt >= 0) return this.blame(typeAt);
      this.note(type, at);
      type = dv.getUint8(at + NEXT_HEADER);
      typeAt = at + NEXT_HEADER;
      at += length;
      if (this.fragmentAt >= 0 && this.fragmentOffset > 0) break;
    }
    this.protocol = type;
    this.payloadStart = at;
    return "ok";
  }

  get isFragment(): boolean {
    return this.fragmentAt >= 0;
  }

  /** In octets, a multiple of 8; 0 without a fragment header. */
  get fragmentOffset(): number {
    return this.fragmentAt < 0 ? 0 : this.dv.getUint16(this.fragmentAt + FRAGMENT_OFFSET) & 0xfff8;
  }

  get moreFragments(): boolean {
    return this.fragmentAt >= 0 && (this.dv.getUint16(this.fragmentAt + FRAGMENT_OFFSET) & 1) !== 0;
  }

  get identification(): number {
    return this.fragmentAt < 0 ? 0 : this.dv.getUint32(this.fragmentAt + FRAGMENT_IDENTIFICATION);
  }

  /** Of the last routing header; −1 without one. Type 0 must not be followed (RFC 5095 §3). */
  get routingType(): number {
    return this.routingAt < 0 ? -1 : this.dv.getUint8(this.routingAt + ROUTING_TYPE);
  }

  get segmentsLeft(): number {
    return this.routingAt < 0 ? 0 : this.dv.getUint8(this.routingAt + SEGMENTS_LEFT);
  }

  private note(type: number, at: number): void {
    if (type === IpProtocol.hopByHop) this.hopByHopAt = at;
    else if (type === IpProtocol.routing) this.routingAt = at;
    else if (type === IpProtocol.fragment) this.fragmentAt = at;
    else if (type === IpProtocol.destinationOptions) this.destinationOptionsAt = at;
  }

  private blame(at: number): WireStatus {
    this.problemAt = at;
    return "malformed";
  }
}

const isExtension = (type: number): boolean =>
  type === IpProtocol.hopByHop ||
  type === IpProtocol.routing ||
  type === IpProtocol.fragment ||
  type === IpProtocol.destinationOptions ||
  type === IpProtocol.authentication;

function extensionLength(type: number, field: number): number {
  if (type === IpProtocol.fragment) return 8;
  // RFC 4302 §2.2: the authentication header counts in 4 octets, less 2.
  return type === IpProtocol.authentication ? Math.max(8, (field + 2) * 4) : (field + 1) * 8;
}
