import { adjustChecksum } from "../../wire/checksum.ts";
import type { IcmpErrors } from "../icmp/error-sender.ts";
import type { RedirectSender } from "../icmp/redirect-sender.ts";
import type { Inbound } from "../inbound.ts";
import type { Ip } from "../ip-address.ts";
import type { IpCounters } from "./counters.ts";
import type { Egress } from "./egress.ts";
import type { SendVerdict } from "./ip-layer.ts";
import { isDirectedBroadcast } from "./local-addresses.ts";
import { wireLength } from "./packet-size.ts";
import type { Route } from "./route.ts";
import { RouteQuery } from "./route-query.ts";
import type { RoutingTable } from "./routing-table.ts";

const DONT_FRAGMENT = 0x4000;
const IPV4_TTL = 8;
const IPV6_HOP_LIMIT = 7;
/** Next hops that are remembered, so that a stream of packets makes no addresses. */
const HOPS = 256;

/**
 * Passes packets on between interfaces (RFC 1812 §5.2, RFC 8200 §3): rewritten where they lie, with
 * what devices said of checksums and segments left as it is.
 */
export class Forwarding {
  readonly #routes: RoutingTable;
  readonly #egress: Egress;
  readonly #errors: IcmpErrors;
  readonly #redirects: RedirectSender;
  readonly #counters4: IpCounters;
  readonly #counters6: IpCounters;
  readonly #query = new RouteQuery();
  /** By the low bits of the address; the last one stays. */
  readonly #hops: (Ip | null)[] = new Array<Ip | null>(HOPS).fill(null);

  constructor(
    routes: RoutingTable,
    egress: Egress,
    errors: IcmpErrors,
    redirects: RedirectSender,
    counters4: IpCounters,
    counters6: IpCounters,
  ) {
    this.#routes = routes;
    this.#egress = egress;
    this.#errors = errors;
    this.#redirects = redirects;
    this.#counters4 = counters4;
    this.#counters6 = counters6;
  }

  /** RFC 3704 §2.2, where the interface asks for it: answers would leave where the packet came in. */
  isReversePath(inbound: Inbound): boolean {
    const from = inbound.interface;
    if (!from.settings.reversePathFilter || from.device.medium === "loopback") return true;
    const { version, s0, s1, s2, s3 } = inbound;
    // What has no address yet, and neighbours by link-local address, have no route.
    if (version === 4 ? s3 === 0 : (s0 | s1 | s2 | s3) === 0 || s0 >>> 22 === 0x3fa) return true;
    const query = this.#query;
    query.version = version;
    query.d0 = s0;
    query.d1 = s1;
    query.d2 = s2;
    query.d3 = s3;
    query.hasSource = false;
    query.incoming = null;
    query.outgoing = null;
    const route = this.#routes.lookup(query);
    return route !== null && route.interface === from;
  }

  /** `inbound` is for none of our addresses, and came to us alone at the link. */
  forwardIpv4(inbound: Inbound): void {
    const counters = this.#counters4;
    const { packet, headerStart, s3, d3 } = inbound;
    // RFC 3927 §7: link-local packets stay on their link; so do groups and broadcasts (RFC 2644).
    if (isLocalIpv4(s3) || isLocalIpv4(d3) || s3 === 0) {
      counters.inAddressErrors++;
      return;
    }
    const route = this.#way(inbound, counters);
    if (route === null) return;
    const out = route.interface!;
    if (isDirectedBroadcast(out, d3)) {
      counters.inAddressErrors++;
      return;
    }
    const mtu = mtuOf(route);
    const { view } = packet;
    const fits = wireLength(packet, inbound.payloadStart) <= mtu;
    if (!fits && (view.getUint16(headerStart + 6) & DONT_FRAGMENT) !== 0) {
      counters.fragmentationFailures++;
      this.#errors.tooBig(inbound, mtu);
      return;
    }
    const nextHop = route.via ?? this.#hop(inbound);
    if (out === inbound.interface) this.#redirects.tell(inbound, nextHop, route.via !== null);
    const at = headerStart + IPV4_TTL;
    const before = view.getUint16(at);
    view.setUint16(at, before - 0x100);
    const checksum = view.getUint16(headerStart + 10);
    view.setUint16(headerStart + 10, adjustChecksum(checksum, before, before - 0x100));
    packet.start = headerStart;
    const verdict = fits
      ? this.#egress.send(out, nextHop, packet)
      : this.#egress.fragment(out, nextHop, packet, mtu, 0, counters);
    this.#conclude(inbound, verdict, counters);
  }

  forwardIpv6(inbound: Inbound): void {
    const counters = this.#counters6;
    const { packet, headerStart, s0, s1, s2, s3, d0 } = inbound;
    if (d0 >>> 22 === 0x3fa || (s0 | s1 | s2 | s3) === 0) {
      counters.inAddressErrors++;
      return;
    }
    // RFC 4443 §3.1, code 2; RFC 4291 §2.5.6: routers must not forward them.
    if (s0 >>> 22 === 0x3fa) {
      counters.inAddressErrors++;
      this.#errors.beyondScope(inbound);
      return;
    }
    const route = this.#way(inbound, counters);
    if (route === null) return;
    const mtu = mtuOf(route);
    if (wireLength(packet, inbound.payloadStart) > mtu) {
      counters.fragmentationFailures++;
      this.#errors.tooBig(inbound, mtu);
      return;
    }
    const out = route.interface!;
    const nextHop = route.via ?? this.#hop(inbound);
    if (out === inbound.interface) this.#redirects.tell(inbound, nextHop, route.via !== null);
    packet.view.setUint8(headerStart + IPV6_HOP_LIMIT, inbound.hopLimit - 1);
    packet.start = headerStart;
    const verdict = this.#egress.send(out, nextHop, packet);
    this.#conclude(inbound, verdict, counters);
  }

  #conclude(inbound: Inbound, verdict: SendVerdict, counters: IpCounters): void {
    if (verdict === "sent") {
      counters.forwarded++;
      return;
    }
    counters.outDiscards++;
    // RFC 1812 §5.2.7.1: the neighbour is known not to answer.
    if (verdict === "unreachable") this.#errors.hostUnreachable(inbound);
  }

  /** The route that it takes, or null where it ends here: then its sender was told. */
  #way(inbound: Inbound, counters: IpCounters): Route | null {
    if (inbound.hopLimit <= 1) {
      this.#errors.timeExceeded(inbound);
      counters.inDiscards++;
      return null;
    }
    if (!this.isReversePath(inbound)) {
      counters.inDiscards++;
      return null;
    }
    const route = this.#routes.lookup(this.#ask(inbound));
    if (route === null || route.kind === "unreachable") {
      counters.inNoRoutes++;
      this.#errors.noRoute(inbound);
      return null;
    }
    if (route.kind === "prohibit") this.#errors.prohibited(inbound);
    else if (route.kind === "unicast" && route.interface!.device.medium !== "loopback")
      return route;
    counters.inDiscards++;
    return null;
  }

  #ask(inbound: Inbound): RouteQuery {
    const query = this.#query;
    query.version = inbound.version;
    query.d0 = inbound.d0;
    query.d1 = inbound.d1;
    query.d2 = inbound.d2;
    query.d3 = inbound.d3;
    query.hasSource = true;
    query.s0 = inbound.s0;
    query.s1 = inbound.s1;
    query.s2 = inbound.s2;
    query.s3 = inbound.s3;
    query.incoming = inbound.interface;
    query.outgoing = null;
    return query;
  }

  /** The destination as a neighbour. */
  #hop(inbound: Inbound): Ip {
    const slot = (inbound.d3 ^ (inbound.d3 >>> 8)) & (HOPS - 1);
    const kept = this.#hops[slot];
    if (kept && kept.version === inbound.version && inbound.isTo(kept)) return kept;
    const hop = inbound.destination();
    this.#hops[slot] = hop;
    return hop;
  }
}

function mtuOf(route: Route): number {
  const { mtu } = route.interface!;
  return route.mtu > 0 && route.mtu < mtu ? route.mtu : mtu;
}

/** Link-local, loopback, group, class E or broadcast. */
function isLocalIpv4(address: number): boolean {
  const net = address >>> 24;
  return net >= 224 || net === 127 || address >>> 16 === 0xa9fe;
}
