import { checksum16 } from "../../wire/checksum.ts";
import { IPV4_HEADER_LENGTH, Ipv4View } from "../../wire/ipv4.ts";
import { Ipv4OptionType } from "../../wire/ipv4-options.ts";
import type { Identifications } from "../fragments/identification.ts";
import type { Interface } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";
import type { IpCounters } from "./counters.ts";
import type { Egress } from "./egress.ts";
import type { Fragmenting, Path, SendVerdict } from "./ip-layer.ts";
import { wireLength } from "./packet-size.ts";

const DONT_FRAGMENT = 0x4000;
/** RFC 2113 §2.1: type, length, value 0. */
const ROUTER_ALERT = (Ipv4OptionType.routerAlert << 24) | (4 << 16);
const ROUTER_ALERT_LENGTH = 4;
const MAX_LENGTH = 0xffff;

/** Puts IPv4 headers before packets of this host (RFC 791, RFC 1122 §3.2.1). */
export class Ipv4Output {
  readonly #egress: Egress;
  readonly #counters: IpCounters;
  readonly #identifications: Identifications;
  readonly #view = new Ipv4View();

  constructor(egress: Egress, counters: IpCounters, identifications: Identifications) {
    this.#egress = egress;
    this.#counters = counters;
    this.#identifications = identifications;
  }

  /** As `IpLayer.send`, with the hop limit filled in. */
  send(
    path: Path,
    packet: Packet,
    protocol: number,
    ttl: number,
    trafficClass: number,
    fragmenting: Fragmenting,
  ): SendVerdict {
    const { source, destination, mtu } = path;
    const transport = packet.start;
    const length = packet.end - transport + IPV4_HEADER_LENGTH;
    if (length > MAX_LENGTH) return "too-big";
    // RFC 6864 §4.1: an atomic packet's identification means nothing.
    let identification = 0;
    let flags = DONT_FRAGMENT;
    if (fragmenting === "allowed") {
      identification = this.#identifications.next(source, destination, protocol) & 0xffff;
      flags = 0;
    }
    packet.start = transport - IPV4_HEADER_LENGTH;
    const fits = length <= mtu || wireLength(packet, transport) <= mtu;
    let verdict: SendVerdict = "too-big";
    if (fits || flags === 0) {
      const { view, start } = packet;
      view.setInt32(start, 0x4500_0000 | (trafficClass << 16) | length);
      view.setInt32(start + 4, (identification << 16) | flags);
      view.setInt32(start + 8, (ttl << 24) | (protocol << 16));
      view.setInt32(start + 12, source.w3);
      view.setInt32(start + 16, destination.w3);
      view.setUint16(start + 10, headerChecksum(view, start));
      verdict = fits
        ? this.#egress.send(path.interface, path.nextHop, packet)
        : this.#cut(path, packet, identification);
    }
    packet.start = transport;
    return verdict;
  }

  /** As `IpLayer.sendOn`. */
  sendOn(
    out: Interface,
    source: Ip,
    destination: Ip,
    packet: Packet,
    protocol: number,
    ttl: number,
    routerAlert: boolean,
  ): SendVerdict {
    const transport = packet.start;
    const headerLength = IPV4_HEADER_LENGTH + (routerAlert ? ROUTER_ALERT_LENGTH : 0);
    const length = packet.end - transport + headerLength;
    if (length > out.mtu) return "too-big";
    const start = transport - headerLength;
    const { view } = packet;
    packet.start = start;
    view.setInt32(start, 0x4000_0000 | (headerLength << 22) | length);
    // RFC 3376 §4 asks for precedence "internetwork control" where routers are to look.
    if (routerAlert) view.setUint8(start + 1, 0xc0);
    view.setInt32(start + 4, DONT_FRAGMENT);
    view.setInt32(start + 8, (ttl << 24) | (protocol << 16));
    view.setInt32(start + 12, source.w3);
    view.setInt32(start + 16, destination.w3);
    if (routerAlert) view.setInt32(start + IPV4_HEADER_LENGTH, ROUTER_ALERT);
    view.setUint16(start + 10, checksum16(view, start, transport));
    const verdict = this.#egress.send(out, destination, packet);
    packet.start = transport;
    return verdict;
  }

  /**
   * A packet that brings its header. Filled in here, as Linux does for IP_HDRINCL: total length,
   * checksum, a source of zero, and an identification of zero where fragments may need one.
   */
  sendWhole(path: Path, packet: Packet): SendVerdict {
    const view = this.#view;
    const { view: dv, start } = packet;
    const length = packet.end - start;
    if (length < IPV4_HEADER_LENGTH || length > MAX_LENGTH) return "too-big";
    dv.setUint16(start + 2, length);
    if (view.wrap(dv, start, packet.end) !== "ok") return "unreachable";
    if (view.source === 0) view.source = path.source.w3 >>> 0;
    if (view.identification === 0 && !view.dontFragment) {
      const { source, destination } = path;
      view.identification = this.#identifications.next(source, destination, view.protocol) & 0xffff;
    }
    view.fillChecksum();
    if (wireLength(packet, view.payloadStart) <= path.mtu) {
      return this.#egress.send(path.interface, path.nextHop, packet);
    }
    return view.dontFragment ? "too-big" : this.#cut(path, packet, view.identification);
  }

  #cut(path: Path, packet: Packet, identification: number): SendVerdict {
    const { interface: out, nextHop, mtu } = path;
    return this.#egress.fragment(out, nextHop, packet, mtu, identification, this.#counters);
  }
}

/** Of a header without options whose checksum field is zero. */
function headerChecksum(view: DataView, at: number): number {
  const service = view.getInt32(at);
  const fragment = view.getInt32(at + 4);
  const protocol = view.getInt32(at + 8);
  const source = view.getInt32(at + 12);
  const destination = view.getInt32(at + 16);
  const sum =
    (service >>> 16) +
    (service & 0xffff) +
    (fragment >>> 16) +
    (fragment & 0xffff) +
    (protocol >>> 16) +
    (source >>> 16) +
    (source & 0xffff) +
    (destination >>> 16) +
    (destination & 0xffff);
  const folded = (sum >>> 16) + (sum & 0xffff);
  return ~((folded >>> 16) + folded) & 0xffff;
}
