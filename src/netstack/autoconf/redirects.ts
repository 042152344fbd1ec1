import type { NdpRepr } from "../../wire/ndp.ts";
import type { StackContext } from "../context.ts";
import type { NeighborState } from "../events.ts";
import type { Interface } from "../interface.ts";
import type { Route } from "../ip/route.ts";
import { RouteQuery } from "../ip/route-query.ts";
import type { RoutingTable } from "../ip/routing-table.ts";
import { Ip } from "../ip-address.ts";
import { RedirectedRoutes } from "./redirected-routes.ts";

type Redirect = Extract<NdpRepr, { kind: "redirect" }>;

/** IPv6 redirects (RFC 4861 §8). What one said goes, too, with the router that sent it. */
export class Redirects {
  readonly #iface: Interface;
  readonly #routes: RoutingTable;
  readonly #redirected: RedirectedRoutes;
  readonly #query = new RouteQuery();

  constructor(context: StackContext, iface: Interface, routes: RoutingTable) {
    this.#iface = iface;
    this.#routes = routes;
    this.#redirected = new RedirectedRoutes(context, iface, routes);
  }

  get size(): number {
    return this.#redirected.size;
  }

  /** `from`: who sent it; its hop limit was 255. Returns whether it was believed. */
  handle(redirect: Redirect, from: Ip): boolean {
    const destination = Ip.v6(...redirect.destination);
    const target = Ip.v6(...redirect.target);
    const instead = this.#believed(destination, target, from);
    if (instead === null) return false;
    const { neighbors } = this.#iface.link;
    const option = redirect.options.find(({ kind }) => kind === "target-link-layer");
    // §8.3: the address that is named is the target's own; a better router is a router.
    if (option !== undefined && "mac" in option) neighbors?.observe(target, option.mac);
    if (!target.equals(destination)) neighbors?.setRouter(target, true);
    return this.#redirected.add({ destination, target, from, instead });
  }

  /** The router is one no more. */
  routerGone(router: Ip): void {
    this.#redirected.drop(({ from, target }) => from.equals(router) || target.equals(router));
  }

  neighborChanged(ip: Ip, state: NeighborState): void {
    this.#redirected.neighborChanged(ip, state);
  }

  flush(): void {
    this.#redirected.drop(() => true);
  }

  /**
   * §8.1: from the first hop for that destination, to a router on this link or to the destination. The
   * route that led there, or null.
   */
  #believed(destination: Ip, target: Ip, from: Ip): Route | null {
    if (!from.isLinkLocal || destination.isMulticast) return null;
    if (destination.isUnspecified || destination.isLoopback) return null;
    if (!target.isLinkLocal && !target.equals(destination)) return null;
    const route = this.#routes.lookup(this.#query.to(destination).by(this.#iface));
    if (route === null || route.kind !== "unicast") return null;
    return (route.via ?? destination).equals(from) ? route : null;
  }
}
