import type { Instant } from "../../core/time.ts";
import { FOREVER } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import type { NeighborState } from "../events.ts";
import type { Interface } from "../interface.ts";
import type { Route } from "../ip/route.ts";
import type { RoutingTable } from "../ip/routing-table.ts";
import type { Ip } from "../ip-address.ts";
import { Prefix } from "../prefix.ts";

/** What a router said. */
export interface Redirection {
  readonly destination: Ip;
  /** The better first hop; the destination itself where that is a neighbour. */
  readonly target: Ip;
  readonly from: Ip;
  /** The route that led to that router: the new one has its source and table. */
  readonly instead: Route;
}

/**
 * Better first hops of one interface and family, a host route each. At most
 * `limits.redirectsPerInterface`; the oldest goes. One goes, too, when the neighbour that it names does
 * not answer (RFC 1122 §3.3.1.4, RFC 4861 §7.3.3).
 */
export class RedirectedRoutes {
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #routes: RoutingTable;
  /** The oldest first. */
  readonly #entries: Entry[] = [];

  constructor(context: StackContext, iface: Interface, routes: RoutingTable) {
    this.#context = context;
    this.#iface = iface;
    this.#routes = routes;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** When the oldest was told; `FOREVER`: there is none. */
  get oldest(): Instant {
    return this.#entries[0]?.since ?? FOREVER;
  }

  /** In place of what was told about that destination before. False: the routing table has no room. */
  add(redirection: Redirection): boolean {
    const { destination, target, instead } = redirection;
    this.drop((entry) => entry.destination.equals(destination));
    if (this.#entries.length >= this.#context.limits.redirectsPerInterface) {
      this.#routes.remove(this.#entries.shift()!.route);
    }
    const route = this.#routes.add({
      destination: new Prefix(destination, destination.version === 4 ? 32 : 128),
      via: target.equals(destination) ? null : target,
      interface: this.#iface,
      table: instead.table,
      source: instead.source,
      origin: "redirect",
    });
    if (route === null) return false;
    this.#entries.push({ ...redirection, route, since: this.#context.now() });
    return true;
  }

  neighborChanged(ip: Ip, state: NeighborState): void {
    if (state === "failed") this.drop(({ target }) => target.equals(ip));
  }

  drop(which: (entry: Entry) => boolean): void {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      if (!which(this.#entries[i]!)) continue;
      const [entry] = this.#entries.splice(i, 1);
      this.#routes.remove(entry!.route);
    }
  }
}

interface Entry extends Redirection {
  readonly since: Instant;
  readonly route: Route;
}
