import { emitIcmpv4 } from "../../wire/icmpv4.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import type { Ipv6Words } from "../../wire/ipv6-address.ts";
import { emitNdp } from "../../wire/ndp.ts";
import type { NdpOption } from "../../wire/ndp-options.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import type { IcmpCounters } from "../ip/counters.ts";
import type { IpLayer } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import { NDP_HOP_LIMIT } from "../link/ndp-output.ts";
import { PACKET_HEADROOM, Packet } from "../packet.ts";
import { isAnswerableIpv4, isAnswerableIpv6 } from "./answerable.ts";
import { writeQuote } from "./quote.ts";
import type { RateLimit } from "./rate-limit.ts";

/** RFC 4861 §8.2: as much as fits in the minimum MTU, behind fixed part, link address and option header. */
const MAX_QUOTE_IPV6 = 1280 - 40 - 40 - 8 - 8;
/** RFC 1812 §4.3.2.3: as much as fits in 576 octets. */
const MAX_QUOTE_IPV4 = 576 - 20 - 8;
const FOR_HOST = 1;

/** Tells neighbours of better first hops than we are (RFC 1812 §5.2.7.2, RFC 4861 §8.2). */
export class RedirectSender {
  readonly #ip: IpLayer;
  readonly #limit: RateLimit;
  readonly #counters4: IcmpCounters;
  readonly #counters6: IcmpCounters;
  readonly #packet = Packet.allocate(PACKET_HEADROOM + 1280);
  readonly #quoted = Packet.allocate(1280);

  constructor(ip: IpLayer, limit: RateLimit, counters4: IcmpCounters, counters6: IcmpCounters) {
    this.#ip = ip;
    this.#limit = limit;
    this.#counters4 = counters4;
    this.#counters6 = counters6;
  }

  /**
   * `about` goes on to `nextHop` by the interface where it came in; nothing in it has been changed yet.
   * `isRouter`: the next hop is not its destination. Says something only to a neighbour, and only so often.
   */
  tell(about: Inbound, nextHop: Ip, isRouter: boolean): void {
    const { device, settings } = about.interface;
    if (device.medium !== "ethernet" || !settings.sendRedirects || !this.#limit.take()) return;
    if (about.version === 4) this.#tellIpv4(about, nextHop);
    else this.#tellIpv6(about, nextHop, isRouter);
  }

  /** RFC 1812 §5.2.7.2: where the sender has the next hop on its own subnet, too. */
  #tellIpv4(about: Inbound, nextHop: Ip): void {
    if (!isAnswerableIpv4(about)) return;
    const to = about.source();
    const { interface: on } = about;
    const own = on.addresses.all.find(
      ({ assigned, prefix }) => assigned && prefix.contains(to) && prefix.contains(nextHop),
    );
    if (own === undefined) return;
    const data = this.#quote(about, MAX_QUOTE_IPV4);
    const packet = this.#packet;
    packet.reset();
    const gateway = nextHop.w3 >>> 0;
    const repr = { kind: "redirect", code: FOR_HOST, gateway, data } as const;
    packet.end = emitIcmpv4(repr, packet.view, packet.start);
    this.#counters4.outMessages++;
    this.#ip.sendOn(on, own.ip, to, packet, IpProtocol.icmp, 0, false);
  }

  /** RFC 4861 §8.2: by link-local addresses, ours and that of a better router. */
  #tellIpv6(about: Inbound, nextHop: Ip, isRouter: boolean): void {
    if (!isAnswerableIpv6(about, false) || (isRouter && !nextHop.isLinkLocal)) return;
    const to = about.source();
    const { interface: on } = about;
    const own = on.addresses.all.find(({ assigned, ip }) => assigned && isLinkLocalIpv6(ip));
    const path = this.#ip.resolve(to, { interface: on });
    if (own === undefined || typeof path === "string" || !path.nextHop.equals(to)) return;
    const quote = this.#quote(about, MAX_QUOTE_IPV6);
    const options: NdpOption[] = [
      ...linkAddressOf(nextHop, on),
      { kind: "redirected-header", data: quote.subarray(0, quote.length & ~7) },
    ];
    const target = wordsOf(nextHop);
    const destination = wordsOf(about.destination());
    const repr = { kind: "redirect", target, destination, options } as const;
    const packet = this.#packet;
    packet.reset();
    packet.end = emitNdp(repr, packet.view, packet.start, wordsOf(own.ip), wordsOf(to));
    this.#counters6.outMessages++;
    this.#ip.sendOn(on, own.ip, to, packet, IpProtocol.icmpv6, NDP_HOP_LIMIT, false);
  }

  #quote(about: Inbound, room: number): Uint8Array {
    return this.#quoted.bytes.subarray(0, writeQuote(about, this.#quoted, 0, room));
  }
}

function linkAddressOf(ip: Ip, on: Interface): NdpOption[] {
  const mac = on.link.neighbors?.find(ip)?.mac ?? null;
  return mac === null ? [] : [{ kind: "target-link-layer", mac }];
}

const isLinkLocalIpv6 = (ip: Ip): boolean => ip.version === 6 && ip.isLinkLocal;

const wordsOf = ({ w0, w1, w2, w3 }: Ip): Ipv6Words => [w0 >>> 0, w1 >>> 0, w2 >>> 0, w3 >>> 0];
