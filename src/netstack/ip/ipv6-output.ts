import { IpProtocol } from "../../wire/ip-protocol.ts";
import { IPV6_HEADER_LENGTH, Ipv6View } from "../../wire/ipv6.ts";
import { Ipv6OptionType } from "../../wire/ipv6-options.ts";
import type { Identifications } from "../fragments/identification.ts";
import type { Interface } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";
import type { IpCounters } from "./counters.ts";
import type { Egress } from "./egress.ts";
import type { Fragmenting, Path, SendVerdict } from "./ip-layer.ts";
import { wireLength } from "./packet-size.ts";

/** Hop-by-hop options with a router alert for MLD (RFC 2711 §2.1: value 0) and padding. */
const ROUTER_ALERT_LENGTH = 8;
const MAX_PAYLOAD = 0xffff;

/** Puts IPv6 headers before packets of this host (RFC 8200 §3). Flow labels are left zero. */
export class Ipv6Output {
  readonly #egress: Egress;
  readonly #counters: IpCounters;
  readonly #identifications: Identifications;
  readonly #view = new Ipv6View();

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
    hopLimit: number,
    trafficClass: number,
    fragmenting: Fragmenting,
  ): SendVerdict {
    const { source, destination, mtu } = path;
    const transport = packet.start;
    const length = packet.end - transport;
    if (length > MAX_PAYLOAD) return "too-big";
    packet.start = transport - IPV6_HEADER_LENGTH;
    const fits = length + IPV6_HEADER_LENGTH <= mtu || wireLength(packet, transport) <= mtu;
    let verdict: SendVerdict = "too-big";
    if (fits || fragmenting === "allowed") {
      const { view, start } = packet;
      view.setInt32(start, (6 << 28) | (trafficClass << 20));
      view.setInt32(start + 4, (length << 16) | (protocol << 8) | hopLimit);
      source.write(view, start + 8);
      destination.write(view, start + 24);
      verdict = fits
        ? this.#egress.send(path.interface, path.nextHop, packet)
        : this.#cut(path, packet, protocol);
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
    hopLimit: number,
    routerAlert: boolean,
  ): SendVerdict {
    const transport = packet.start;
    const { view } = packet;
    const payload = routerAlert ? transport - ROUTER_ALERT_LENGTH : transport;
    const start = payload - IPV6_HEADER_LENGTH;
    if (packet.end - start > out.mtu) return "too-big";
    if (routerAlert) {
      view.setInt32(payload, (protocol << 24) | (Ipv6OptionType.routerAlert << 8) | 2);
      // The alert's value, then PadN without data.
      view.setInt32(payload + 4, 0x0000_0100);
    }
    packet.start = start;
    const nextHeader = routerAlert ? IpProtocol.hopByHop : protocol;
    view.setInt32(start, 6 << 28);
    view.setInt32(start + 4, ((packet.end - payload) << 16) | (nextHeader << 8) | hopLimit);
    source.write(view, start + 8);
    destination.write(view, start + 24);
    const verdict = this.#egress.send(out, destination, packet);
    packet.start = transport;
    return verdict;
  }

  /** A packet that brings its header: the payload length and a source of zero are filled in. */
  sendWhole(path: Path, packet: Packet): SendVerdict {
    const { view: dv, start } = packet;
    const length = packet.end - start - IPV6_HEADER_LENGTH;
    if (length < 0 || length > MAX_PAYLOAD) return "too-big";
    dv.setUint16(start + 4, length);
    const view = this.#view;
    if (view.wrap(dv, start, packet.end) !== "ok") return "unreachable";
    if (view.isFrom(UNSPECIFIED)) path.source.write(dv, view.sourceAt);
    if (wireLength(packet, view.payloadStart) <= path.mtu) {
      return this.#egress.send(path.interface, path.nextHop, packet);
    }
    return this.#cut(path, packet, view.nextHeader);
  }

  #cut(path: Path, packet: Packet, protocol: number): SendVerdict {
    const { interface: out, nextHop, mtu, source, destination } = path;
    const identification = this.#identifications.next(source, destination, protocol);
    return this.#egress.fragment(out, nextHop, packet, mtu, identification, this.#counters);
  }
}

const UNSPECIFIED = [0, 0, 0, 0] as const;
