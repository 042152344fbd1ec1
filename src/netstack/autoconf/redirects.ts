import type { NdpRepr } from "../../wire/ndp.ts";
import type { StackContext } from "../context.ts";
import type { NeighborState } from "../events.ts";
import type { Interface } from "../interface.ts";
import type { Route } from "../ip/route.ts";
import { RouteQuery } from "../ip/route-query.ts";
import type { RoutingTable } from "../ip/routing-table.ts";
import { Ip } from "../ip-address.ts";
import { Prefix } from "../prefix.ts";

type Redirect = Extract<NdpRepr, { kind: "redirect" }>;

/**
 * Better first hops that routers told of (RFC 4861 §8): a host route each. At most
 * `limits.redirectsPerInterface`; the oldest goes. One goes, too, with the router that sent it, and
 * when the neighbour that it names does not answer (§7.3.3).
 */
export class Redirects {
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #routes: RoutingTable;
  readonly #entries: Entry[] = [];
  readonly #query = new RouteQuery();

  constructor(context: StackContext, iface: Interface, routes: RoutingTable) {
    this.#context = context;
    this.#iface = iface;
    this.#routes = routes;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** `from`: who sent it; its hop limit was 255. Returns whether it was believed. */
  handle(redirect: Redirect, from: Ip): boolean {
    const destination = Ip.v6(...redirect.destination);
    const target = Ip.v6(...redirect.target);
    if (!this.#valid(destination, target, from)) return false;
    const onLink = target.equals(destination);
    const { neighbors } = this.#iface.link;
    const option = redirect.options.find(({ kind }) => kind === "target-link-layer");
    // §8.3: the address that is named is the target's own; a better router is a router.
    if (option !== undefined && "mac" in option) neighbors?.observe(target, option.mac);
    if (!onLink) neighbors?.setRouter(target, true);
    this.#drop((entry) => entry.destination.equals(destination));
    if (this.#entries.length >= this.#context.limits.redirectsPerInterface) {
      this.#routes.remove(this.#entries.shift()!.route);
    }
    const route = this.#routes.add({
      destination: new Prefix(destination, 128),
      via: onLink ? null : target,
      interface: this.#iface,
      origin: "redirect",
    });
    if (route !== null) this.#entries.push({ destination, target, from, route });
    return route !== null;
  }

  /** The router is one no more. */
  routerGone(router: Ip): void {
    this.#drop(({ from, target }) => from.equals(router) || target.equals(router));
  }

  neighborChanged(ip: Ip, state: NeighborState): void {
    if (state === "failed") this.#drop(({ target }) => target.equals(ip));
  }

  flush(): void {
    this.#drop(() => true);
  }

  /** §8.1: from the first hop for that destination, to a router on this link or to the destination. */
  #valid(destination: Ip, target: Ip, from: Ip): boolean {
    if (!from.isLinkLocal || destination.isMulticast) return false;
    if (destination.isUnspecified || destination.isLoopback) return false;
    if (!target.isLinkLocal && !target.equals(destination)) return false;
    const query = this.#query.to(destination);
    query.outgoing = this.#iface;
    const route = this.#routes.lookup(query);
    if (route === null || route.kind !== "unicast") return false;
    return (route.via ?? destination).equals(from);
  }

  #drop(which: (entry: Entry) => boolean): void {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      if (!which(this.#entries[i]!)) continue;
      const [entry] = this.#entries.splice(i, 1);
      this.#routes.remove(entry!.route);
    }
  }
}

interface Entry {
  readonly destination: Ip;
  readonly target: Ip;
  readonly from: Ip;
  readonly route: Route;
}
