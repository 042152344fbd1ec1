import { after, type Instant, seconds } from "../../core/time.ts";
import { FOREVER } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import { Deadline } from "../deadline.ts";
import { isHostIpv4 } from "../icmp/answerable.ts";
import { ReceivedError } from "../icmp/received-error.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import { isDirectedBroadcast } from "../ip/local-addresses.ts";
import type { Route } from "../ip/route.ts";
import { RouteQuery } from "../ip/route-query.ts";
import type { RoutingTable } from "../ip/routing-table.ts";
import { Ip } from "../ip-address.ts";
import { RedirectedRoutes } from "./redirected-routes.ts";

/** As long as in Linux; a router that still knows better says so again. */
const LIFETIME = seconds(300);

/**
 * IPv4 redirects that an interface follows (RFC 1122 §3.2.2.2): all of them as if for the one host that
 * the quoted packet was for, also those for a network (RFC 1812 §5.2.7.2 has routers send the other).
 */
export class Ipv4Redirects {
  readonly #iface: Interface;
  readonly #routes: RoutingTable;
  readonly #redirected: RedirectedRoutes;
  readonly #deadline: Deadline;
  readonly #quoted = new ReceivedError();
  readonly #query = new RouteQuery();

  constructor(context: StackContext, iface: Interface, routes: RoutingTable) {
    this.#iface = iface;
    this.#routes = routes;
    this.#redirected = new RedirectedRoutes(context, iface, routes);
    this.#deadline = new Deadline(context, (now) => this.#expire(now));
    iface.watch({ onDown: () => this.flush() });
    iface.link.neighbors?.watch({
      onState: (ip, state) => {
        if (ip.version === 4) this.#redirected.neighborChanged(ip, state);
      },
    });
  }

  get size(): number {
    return this.#redirected.size;
  }

  /** An ICMP message of that type, its checksum verified. Returns whether it was believed. */
  handle(inbound: Inbound): boolean {
    const { settings, up } = this.#iface;
    // RFC 1812 §5.2.7.2: routers go by what they know themselves.
    if (!up || settings.forwarding || !settings.acceptRedirects) return false;
    const { packet, payloadStart, payloadEnd, cast } = inbound;
    const quoted = this.#quoted;
    if (cast !== "unicast" || !quoted.quoteIpv4(packet.view, payloadStart + 8, payloadEnd)) {
      return false;
    }
    const { destination, source } = quoted;
    // It is about a packet of ours, to one host.
    if (!source.equals(inbound.destination()) || !isHostIpv4(destination.w3)) return false;
    const target = Ip.read4(packet.view, payloadStart + 4);
    const from = inbound.source();
    if (!this.#isNeighbor(target) || target.equals(from)) return false;
    const instead = this.#leadsTo(from, destination, source);
    if (instead === null) return false;
    const added = this.#redirected.add({ destination, target, from, instead });
    this.#schedule();
    return added;
  }

  flush(): void {
    this.#redirected.drop(() => true);
    this.#deadline.cancel();
  }

  /** §3.2.2.2: a new gateway is on the network through which the redirect came. */
  #isNeighbor(target: Ip): boolean {
    const { all } = this.#iface.addresses;
    if (!isHostIpv4(target.w3) || isDirectedBroadcast(this.#iface, target.w3)) return false;
    return (
      all.some(({ assigned, prefix }) => assigned && prefix.contains(target)) &&
      !all.some(({ ip }) => ip.equals(target))
    );
  }

  /** §3.2.2.2: it comes from the current first hop for that destination. The route that says so, or null. */
  #leadsTo(from: Ip, destination: Ip, source: Ip): Route | null {
    const route = this.#routes.lookup(this.#query.to(destination).from(source));
    if (route?.kind !== "unicast" || route.interface !== this.#iface) return null;
    return route.via?.equals(from) ? route : null;
  }

  #expire(now: Instant): void {
    this.#redirected.drop(({ since }) => after(since, LIFETIME) <= now);
    this.#schedule();
  }

  #schedule(): void {
    const { oldest } = this.#redirected;
    this.#deadline.set(oldest === FOREVER ? FOREVER : after(oldest, LIFETIME));
  }
}
