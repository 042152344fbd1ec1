import type { Instant } from "../../core/time.ts";
import { FOREVER } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import { Deadline } from "../deadline.ts";
import type { NeighborState } from "../events.ts";
import type { Interface } from "../interface.ts";
import type { Route } from "../ip/route.ts";
import type { RoutingTable } from "../ip/routing-table.ts";
import { IPV6_ANY, type Ip } from "../ip-address.ts";
import type { Prefix } from "../prefix.ts";
import { earlier } from "./lifetime.ts";

/** Less preferred than routes set by hand, as in Linux. */
export const ROUTER_METRIC = 1024;

/** RFC 4191 §2.1: low, medium, high. */
export type RouterPreference = -1 | 0 | 1;

/**
 * What the routers of an interface say they are routers for: everything, or the prefixes of their route
 * information options (RFC 4191). For each such destination one of them is in the routing table.
 *
 * At most `limits.defaultRouters` for one destination and `limits.prefixesPerInterface` destinations
 * beside the default; what comes beyond is ignored, so that strangers cannot displace working routers.
 */
export class LearntRoutes {
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #routes: RoutingTable;
  readonly #destinations: Destination[] = [];
  readonly #deadline: Deadline;
  readonly #onRouterGone: (router: Ip) => void;

  /** `onRouterGone`: it is no default router any more. */
  constructor(
    context: StackContext,
    iface: Interface,
    routes: RoutingTable,
    onRouterGone: (router: Ip) => void,
  ) {
    this.#context = context;
    this.#iface = iface;
    this.#routes = routes;
    this.#onRouterGone = onRouterGone;
    this.#deadline = new Deadline(context, (now) => this.#expire(now));
  }

  get defaultRouters(): readonly Ip[] {
    const all = this.#destinations.find(({ prefix }) => isDefault(prefix));
    return all === undefined ? [] : all.routers.map(({ ip }) => ip);
  }

  /** The router that packets to `prefix` go to now; null: there is none. */
  chosen(prefix: Prefix): Ip | null {
    return this.#destinations.find((one) => one.prefix.equals(prefix))?.chosen?.ip ?? null;
  }

  /** A lifetime that has ended withdraws it. */
  advertise(prefix: Prefix, ip: Ip, preference: RouterPreference, until: Instant): void {
    let destination = this.#destinations.find((one) => one.prefix.equals(prefix));
    const router = destination?.routers.find((one) => one.ip.equals(ip));
    if (until <= this.#context.now()) {
      if (destination !== undefined && router !== undefined) this.#remove(destination, router);
      return;
    }
    if (destination === undefined) {
      if (
        !isDefault(prefix) &&
        this.#destinations.length > this.#context.limits.prefixesPerInterface
      )
        return;
      destination = { prefix, routers: [], chosen: null, route: null };
      this.#destinations.push(destination);
    }
    if (router !== undefined) {
      router.preference = preference;
      router.until = until;
    } else {
      if (destination.routers.length >= this.#context.limits.defaultRouters) return;
      const state = this.#iface.link.neighbors?.find(ip)?.state ?? null;
      destination.routers.push({ ip, preference, until, isRouter: true, state });
      if (isDefault(prefix)) this.#emit("router-added", ip);
    }
    this.#choose(destination);
    this.#schedule();
  }

  /** From the neighbours of the interface. */
  neighborChanged(ip: Ip, state: NeighborState, isRouter: boolean): void {
    for (const destination of [...this.#destinations]) {
      const router = destination.routers.find((one) => one.ip.equals(ip));
      if (router === undefined) continue;
      // RFC 4861 §7.2.5: a router that became a host. A flag that is not set need not say so: a new entry
      // begins without it, and only an advertisement of its own makes it reachable.
      const ceased =
        !isRouter && (state === "reachable" || (router.isRouter && router.state === state));
      router.isRouter = isRouter;
      router.state = state;
      if (ceased) this.#remove(destination, router);
      else this.#choose(destination);
    }
  }

  flush(): void {
    for (const destination of [...this.#destinations]) {
      for (const router of [...destination.routers]) this.#remove(destination, router);
    }
  }

  #expire(now: Instant): void {
    for (const destination of [...this.#destinations]) {
      for (const router of [...destination.routers]) {
        if (router.until <= now) this.#remove(destination, router);
      }
    }
    this.#schedule();
  }

  #remove(destination: Destination, router: Router): void {
    destination.routers.splice(destination.routers.indexOf(router), 1);
    this.#choose(destination);
    if (destination.routers.length === 0) {
      this.#destinations.splice(this.#destinations.indexOf(destination), 1);
    }
    if (!isDefault(destination.prefix)) return;
    this.#emit("router-removed", router.ip);
    this.#onRouterGone(router.ip);
  }

  /** RFC 4861 §6.3.6 with RFC 4191 §3.2: reachable ones first, then by preference; else in turn. */
  #choose(destination: Destination): void {
    const { routers, chosen } = destination;
    let best: Router | null = chosen !== null && routers.includes(chosen) ? chosen : null;
    if (best === null || !this.#probablyReachable(best)) {
      const reachable = routers.filter((router) => this.#probablyReachable(router));
      if (reachable.length > 0) best = mostPreferred(reachable);
      else if (best === null) best = mostPreferred(routers);
      else if (this.#stateOf(best) === "failed") {
        best = routers[(routers.indexOf(best) + 1) % routers.length]!;
      }
    } else {
      const better = mostPreferred(routers.filter((router) => this.#probablyReachable(router)))!;
      if (better.preference > best.preference) best = better;
    }
    if (best === chosen && destination.route !== null) return;
    if (destination.route !== null) this.#routes.remove(destination.route);
    destination.chosen = best;
    destination.route = best === null ? null : this.#route(destination.prefix, best.ip);
  }

  #route(prefix: Prefix, via: Ip): Route | null {
    return this.#routes.add({
      destination: prefix,
      via,
      interface: this.#iface,
      metric: ROUTER_METRIC,
      origin: "router-advertisement",
    });
  }

  #probablyReachable(router: Router): boolean {
    if (this.#iface.link.neighbors === null) return true;
    const state = this.#stateOf(router);
    return state !== null && state !== "incomplete" && state !== "failed";
  }

  #stateOf(router: Router): NeighborState | null {
    return this.#iface.link.neighbors?.find(router.ip)?.state ?? null;
  }

  #schedule(): void {
    let next = FOREVER;
    for (const { routers } of this.#destinations) {
      for (const { until } of routers) next = earlier(next, until);
    }
    this.#deadline.set(next);
  }

  #emit(kind: "router-added" | "router-removed", router: Ip): void {
    this.#context.emit({ kind, interface: this.#iface.name, address: router.toString() });
  }
}

interface Destination {
  readonly prefix: Prefix;
  /** In the order in which they were heard of. */
  readonly routers: Router[];
  chosen: Router | null;
  /** Null: the routing table had no room. */
  route: Route | null;
}

interface Router {
  readonly ip: Ip;
  preference: RouterPreference;
  until: Instant;
  /** As the neighbour table said last. */
  isRouter: boolean;
  state: NeighborState | null;
}

const isDefault = (prefix: Prefix): boolean => prefix.length === 0 && prefix.ip.equals(IPV6_ANY);

function mostPreferred(routers: readonly Router[]): Router | null {
  let best: Router | null = null;
  for (const router of routers) {
    if (best === null || router.preference > best.preference) best = router;
  }
  return best;
}
