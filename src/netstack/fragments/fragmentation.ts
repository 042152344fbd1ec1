import { copyBytes } from "../../core/bytes.ts";
import { checksum16 } from "../../wire/checksum.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { Packet } from "../packet.ts";
import { completeChecksum } from "../segmentation/checksum-completion.ts";

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const FRAGMENT_HEADER = 8;
const MORE_V4 = 0x2000;
const OFFSET_V4 = 0x1fff;

/**
 * Cuts an IP packet into fragments (RFC 791 §3.2, RFC 8200 §4.5). Use: `begin`, then `next` until it
 * says false. Whether it may be cut (DF) is the caller's to know. One at a time.
 */
export class Fragmenter {
  #packet: Packet = NOTHING;
  #version: 4 | 6 = 4;
  #mtu = 0;
  #identification = 0;
  /** What goes into each fragment (IPv6), or the whole header with all options (IPv4). */
  #headerLength = 0;
  /** IPv4: of all fragments but the first, whose options are those that say so. */
  #laterHeaderLength = 0;
  /** The header of later IPv4 fragments. */
  readonly #later = new Uint8Array(60);
  /** IPv6: where the field is that announces the fragment header, and what it said before. */
  #nextHeaderAt = 0;
  #nextHeader = 0;
  /** Of the packet itself, where that is a fragment already (IPv4): in units of 8, and its MF. */
  #baseOffset = 0;
  #baseMore = false;
  #at = 0;
  #dataStart = 0;

  /**
   * `packet` [start, end) begins with an IP header and stays as it is until the last `next`, but for a
   * partial checksum, which is completed in place. IPv4 keeps its identification; IPv6 gets
   * `identification`. False when it cannot be cut for that MTU. GSO packets are to be segmented first.
   */
  begin(packet: Packet, mtu: number, identification: number): boolean {
    this.#packet = packet;
    this.#mtu = mtu;
    this.#identification = identification;
    this.#baseOffset = 0;
    this.#baseMore = false;
    // A fragment has only a part of what the checksum covers.
    if (!completeChecksum(packet)) return false;
    const first = packet.length > 0 ? packet.view.getUint8(packet.start) >>> 4 : 0;
    const ready = first === 4 ? this.#beginIpv4() : first === 6 && this.#beginIpv6();
    if (!ready) this.#packet = NOTHING;
    this.#dataStart = packet.start + this.#headerLength;
    this.#at = this.#dataStart;
    return ready;
  }

  /** Writes the next fragment into `out`, headroom in front; false when there is none left. */
  next(out: Packet): boolean {
    const packet = this.#packet;
    if (packet === NOTHING || this.#at >= packet.end) {
      this.#packet = NOTHING;
      return false;
    }
    out.reset();
    if (this.#version === 4) this.#nextIpv4(packet, out);
    else this.#nextIpv6(packet, out);
    return true;
  }

  #beginIpv4(): boolean {
    const { view, bytes, start, end } = this.#packet;
    const headerLength = (view.getUint8(start) & 0x0f) * 4;
    if (headerLength < IPV4_HEADER || end - start < headerLength) return false;
    this.#version = 4;
    this.#headerLength = headerLength;
    const field = view.getUint16(start + 6);
    this.#baseOffset = field & OFFSET_V4;
    this.#baseMore = (field & MORE_V4) !== 0;
    copyBytes(bytes, start, start + IPV4_HEADER, this.#later, 0);
    this.#laterHeaderLength = copyOptions(bytes, start, headerLength, this.#later);
    // Eight bytes of data at least, or it would never end.
    return this.#mtu >= headerLength + 8;
  }

  #nextIpv4(packet: Packet, out: Packet): void {
    const { bytes, start, end } = packet;
    const first = this.#at === this.#dataStart;
    const headerLength = first ? this.#headerLength : this.#laterHeaderLength;
    const room = (this.#mtu - headerLength) & ~7;
    const stop = end - this.#at <= this.#mtu - headerLength ? end : this.#at + room;
    if (first) copyBytes(bytes, start, start + headerLength, out.bytes, out.start);
    else copyBytes(this.#later, 0, headerLength, out.bytes, out.start);
    copyBytes(bytes, this.#at, stop, out.bytes, out.start + headerLength);
    out.end = out.start + headerLength + stop - this.#at;
    const more = stop < end || this.#baseMore ? MORE_V4 : 0;
    const offset = this.#baseOffset + ((this.#at - this.#dataStart) >>> 3);
    const { view } = out;
    view.setUint8(out.start, 0x40 | (headerLength >>> 2));
    view.setUint16(out.start + 2, out.end - out.start);
    view.setUint16(out.start + 6, more | (offset & OFFSET_V4));
    view.setUint16(out.start + 10, 0);
    view.setUint16(out.start + 10, checksum16(view, out.start, out.start + headerLength));
    this.#at = stop;
  }

  /** RFC 8200 §4.5: the "per-fragment headers" end with a routing header, else with hop-by-hop options. */
  #beginIpv6(): boolean {
    const { view, start, end } = this.#packet;
    if (end - start < IPV6_HEADER) return false;
    this.#version = 6;
    let field = start + 6;
    let at = start + IPV6_HEADER;
    this.#nextHeaderAt = 6;
    this.#headerLength = IPV6_HEADER;
    for (;;) {
      const type = view.getUint8(field);
      if (type === IpProtocol.fragment) return false;
      if (!isPerFragment(type) || end - at < 8) break;
      field = at;
      at += (view.getUint8(at + 1) + 1) * 8;
      if (at > end) return false;
      // Destination options count where a routing header follows them.
      if (type === IpProtocol.destinationOptions) continue;
      this.#nextHeaderAt = field - start;
      this.#headerLength = at - start;
    }
    this.#nextHeader = view.getUint8(start + this.#nextHeaderAt);
    return this.#mtu >= this.#headerLength + FRAGMENT_HEADER + 8;
  }

  #nextIpv6(packet: Packet, out: Packet): void {
    const { bytes, start, end } = packet;
    const headerLength = this.#headerLength;
    const room = this.#mtu - headerLength - FRAGMENT_HEADER;
    const stop = end - this.#at <= room ? end : this.#at + (room & ~7);
    const fragmentAt = out.start + headerLength;
    const dataAt = fragmentAt + FRAGMENT_HEADER;
    copyBytes(bytes, start, start + headerLength, out.bytes, out.start);
    copyBytes(bytes, this.#at, stop, out.bytes, dataAt);
    out.end = dataAt + stop - this.#at;
    const { view } = out;
    view.setUint16(out.start + 4, out.end - out.start - IPV6_HEADER);
    view.setUint8(out.start + this.#nextHeaderAt, IpProtocol.fragment);
    view.setUint16(fragmentAt, this.#nextHeader << 8);
    view.setUint16(fragmentAt + 2, (this.#at - this.#dataStart) | (stop < end ? 1 : 0));
    view.setUint32(fragmentAt + 4, this.#identification);
    this.#at = stop;
  }
}

const NOTHING = new Packet(new Uint8Array(0));

const isPerFragment = (type: number): boolean =>
  type === IpProtocol.hopByHop ||
  type === IpProtocol.routing ||
  type === IpProtocol.destinationOptions;

/**
 * Copies the options of the IPv4 header at bytes[start, …) that every fragment carries (RFC 791 §3.1,
 * the copied flag) behind the fixed header in `to`; returns the length of that header.
 */
function copyOptions(bytes: Uint8Array, start: number, length: number, to: Uint8Array): number {
  const end = start + length;
  let at = start + IPV4_HEADER;
  let out = IPV4_HEADER;
  while (at < end) {
    const type = bytes[at]!;
    if (type === 0) break;
    if (type === 1) {
      at++;
      continue;
    }
    const size = at + 1 < end ? bytes[at + 1]! : 0;
    // A malformed rest goes with the first fragment only.
    if (size < 2 || at + size > end) break;
    if ((type & 0x80) !== 0) {
      copyBytes(bytes, at, at + size, to, out);
      out += size;
    }
    at += size;
  }
  while (out % 4 !== 0) to[out++] = 0;
  return out;
}
