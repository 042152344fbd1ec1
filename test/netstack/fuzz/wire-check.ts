import type { Clock } from "../../../src/core/time.ts";
import { type FrameTap, type Interface, Ip, type Packet } from "../../../src/netstack/public.ts";
import {
  ArpView,
  EtherType,
  Ipv4View,
  Ipv6View,
  Ipv6Walker,
  pseudoSumV6,
  readMac,
  TcpView,
  UdpView,
  verifies,
} from "../../../src/wire/public.ts";

/** Microseconds that a packet may wait for its neighbour's address. */
const WAITING = 200_000_000;
const ICMP_ERRORS4 = new Set([3, 4, 5, 11, 12]);

/** Looks at all that a host sends: lengths, checksums, sources, and what RFC 1122 and 4443 forbid. */
export class WireCheck implements FrameTap {
  readonly violations: string[] = [];
  frames = 0;
  icmpErrors = 0;
  readonly #forwarding: boolean;
  readonly #clock: Clock;
  /** That the interface has or had: what waited for a neighbour may leave later. */
  readonly #own = new Set<string>();
  /** Until then, too, what was made for a larger MTU may leave. */
  #mtuSettledAt = 0;
  readonly #ipv4 = new Ipv4View();
  readonly #ipv6 = new Ipv6View();
  readonly #walker = new Ipv6Walker();

  constructor(iface: Interface, clock: Clock, forwarding: boolean) {
    this.#forwarding = forwarding;
    this.#clock = clock;
    for (const { ip } of iface.addresses.all) this.#own.add(ip.toString());
    iface.addresses.watch({ onAddressAdded: ({ ip }) => void this.#own.add(ip.toString()) });
    iface.watch({
      onMtu: () => {
        this.#mtuSettledAt = clock.now() + WAITING;
      },
    });
    iface.addTap(this);
  }

  onFrame(from: Interface, packet: Packet, direction: "in" | "out"): void {
    if (direction === "in") return;
    this.frames++;
    const why = this.#frame(from, packet);
    if (why === null) return;
    const { bytes, start, end } = packet;
    this.violations.push(`${why}: ${Buffer.from(bytes.subarray(start, end)).toString("hex")}`);
  }

  #frame(from: Interface, packet: Packet): string | null {
    const { view, start, end } = packet;
    if (end - start < 14) return "truncated frame";
    if (readMac(view, start + 6) !== from.device.mac) return "foreign MAC";
    const at = start + 14;
    switch (view.getUint16(start + 12)) {
      case EtherType.arp:
        return this.#arp(from, view, at, end);
      case EtherType.ipv4:
        return this.#v4(from, packet, at);
      case EtherType.ipv6:
        return this.#v6(from, packet, at);
      default:
        return "unknown EtherType";
    }
  }

  #wasOwn({ addresses }: Interface, ip: Ip): boolean {
    return addresses.find(ip) !== null || this.#own.has(ip.toString());
  }

  /** A router passes on what comes from an address that it had. */
  #isOwn(from: Interface, ip: Ip): boolean {
    return this.#forwarding ? from.addresses.find(ip) !== null : this.#wasOwn(from, ip);
  }

  #mtuOf({ mtu, device }: Interface): number {
    return this.#clock.now() < this.#mtuSettledAt ? device.mtu : mtu;
  }

  #arp(from: Interface, view: DataView, at: number, end: number): string | null {
    const arp = new ArpView();
    if (arp.wrap(view, at, end) !== "ok") return "malformed ARP";
    if (arp.senderMac !== from.device.mac) return "ARP of another MAC";
    const sender = arp.senderIp | 0;
    if (sender !== 0 && !this.#wasOwn(from, Ip.v4(sender))) return "ARP of another";
    return null;
  }

  #v4(from: Interface, packet: Packet, at: number): string | null {
    const { view, end } = packet;
    const ip = this.#ipv4;
    if (ip.wrap(view, at, end) !== "ok") return "malformed IPv4";
    if (!ip.checksumVerifies) return "IPv4 checksum";
    if (ip.totalLength !== end - at) return "IPv4 length";
    if (packet.gsoType === 0 && end - at > this.#mtuOf(from)) return "longer than the MTU";
    if (ip.ttl === 0) return "TTL 0";
    const source = ip.source | 0;
    const group = source >>> 28 >= 0xe || source >>> 24 === 127;
    if (group) return "source is no host";
    if (source !== 0 && !this.#isOwn(from, Ip.v4(source))) {
      // What is passed on may be as wrong as its sender likes.
      return this.#forwarding ? null : "unknown source";
    }
    if (source === 0 && ip.protocol !== 17 && ip.protocol !== 2) return "source 0.0.0.0";
    if (ip.isFragment || packet.checksum === "partial") return null;
    const { payloadStart, payloadEnd, protocol } = ip;
    if (protocol === 1) return this.#icmp4(view, payloadStart, payloadEnd);
    if (protocol === 6 || protocol === 17) {
      return transport(view, protocol, payloadStart, payloadEnd, ip.pseudoSum);
    }
    return null;
  }

  #v6(from: Interface, packet: Packet, at: number): string | null {
    const { view, end } = packet;
    const ip = this.#ipv6;
    if (ip.wrap(view, at, end) !== "ok") return "malformed IPv6";
    if (40 + ip.payloadEnd - ip.payloadStart !== end - at) return "IPv6 length";
    if (packet.gsoType === 0 && end - at > this.#mtuOf(from)) return "longer than the MTU";
    if (ip.hopLimit === 0) return "hop limit 0";
    if (view.getUint8(at + 8) === 0xff) return "source is a group";
    const words = [0, 4, 8, 12].map((n) => view.getInt32(at + 8 + n)) as [
      number,
      number,
      number,
      number,
    ];
    const unspecified = words.every((word) => word === 0);
    if (!unspecified && !this.#isOwn(from, Ip.v6(...words))) {
      return this.#forwarding ? null : "unknown source";
    }
    const walker = this.#walker;
    if (walker.wrap(view, at + 40, end, ip.nextHeader) !== "ok") {
      return "malformed extension headers";
    }
    if (walker.fragmentAt >= 0 || walker.routingAt >= 0 || packet.checksum === "partial")
      return null;
    const { payloadStart, protocol } = walker;
    const sum = pseudoSumV6(view, at + 8, protocol, end - payloadStart);
    if (protocol === 58) {
      return this.#icmp6(view, payloadStart, end, sum);
    }
    if (protocol === 6 || protocol === 17) return transport(view, protocol, payloadStart, end, sum);
    return null;
  }

  #icmp4(view: DataView, at: number, end: number): string | null {
    if (end - at < 8) return "truncated ICMP";
    if (!verifies(view, at, end)) return "ICMP checksum";
    if (!ICMP_ERRORS4.has(view.getUint8(at))) return null;
    this.icmpErrors++;
    const quote = at + 8;
    if (end - quote < 20 || end - quote < Math.min(28, view.getUint16(quote + 2))) {
      return "an error that quotes too little";
    }
    const header = (view.getUint8(quote) & 15) * 4;
    if (view.getUint16(quote + 6) & 0x1fff) return "an error about a fragment but the first";
    const to = view.getUint8(quote + 16);
    if (to >= 224) return "an error about what was sent to a group";
    const source = view.getUint8(quote + 12);
    if (source === 0 || source === 127 || source >= 224) return "an error to nobody";
    if (view.getUint8(quote + 9) !== 1 || quote + header >= end) return null;
    const type = view.getUint8(quote + header);
    return ICMP_ERRORS4.has(type) ? "an error about an error" : null;
  }

  #icmp6(view: DataView, at: number, end: number, sum: number): string | null {
    if (end - at < 4) return "truncated ICMPv6";
    if (!verifies(view, at, end, sum)) return "ICMPv6 checksum";
    const type = view.getUint8(at);
    if (type >= 128) return null;
    this.icmpErrors++;
    const quote = at + 8;
    if (end - quote < 40) return "an error that quotes too little";
    const toGroups = type === 2 || (type === 4 && view.getUint8(at + 1) === 2);
    if (view.getUint8(quote + 24) === 0xff && !toGroups) {
      return "an error about what was sent to a group";
    }
    if (view.getUint8(quote + 8) === 0xff) return "an error to a group";
    const walker = new Ipv6Walker();
    if (walker.wrap(view, quote + 40, end, view.getUint8(quote + 6)) !== "ok") return null;
    if (walker.protocol !== 58 || walker.payloadStart >= end) return null;
    const fragment = walker.fragmentAt;
    if (fragment >= 0 && view.getUint16(fragment + 2) & 0xfff8) return null;
    const quoted = view.getUint8(walker.payloadStart);
    return quoted < 128 || quoted === 137 ? "an error about an error" : null;
  }
}

function transport(
  view: DataView,
  protocol: number,
  start: number,
  end: number,
  sum: number,
): string | null {
  if (protocol === 6) {
    if (new TcpView().wrap(view, start, end) !== "ok") return "malformed TCP";
  } else {
    if (new UdpView().wrap(view, start, end) !== "ok") return "malformed UDP";
    if (view.getUint16(start + 6) === 0) return "UDP without a checksum";
  }
  return verifies(view, start, end, sum) ? null : "transport checksum";
}
