import type { StackContext } from "../context.ts";
import type { Interface } from "../interface.ts";
import { IPV6_ANY } from "../ip-address.ts";
import { Prefix } from "../prefix.ts";
import { PrefixIndex } from "./prefix-index.ts";
import { Route, type RouteOrigin, type RouteSpec } from "./route.ts";
import type { RouteQuery } from "./route-query.ts";
import { RoutingRules, ruleMatches } from "./routing-rules.ts";

/** The answer of a `prohibit` rule. */
export const PROHIBITED = new Route({
  destination: new Prefix(IPV6_ANY, 0),
  kind: "prohibit",
});

/**
 * The routes of a stack, in tables that rules choose. Among matching routes the one with the longest
 * prefix wins, then the lowest metric, then the oldest; one whose interface is down is passed over.
 * At most `limits.routes`; beyond that `add` refuses.
 */
export class RoutingTable {
  readonly rules: RoutingRules;
  /** Changes whenever a path that was found before may have become wrong. */
  generation = 0;
  readonly #context: StackContext;
  readonly #seed: number;
  readonly #tables = new Map<number, PrefixIndex>();
  readonly #routes = new Set<Route>();

  constructor(context: StackContext) {
    this.#context = context;
    this.#seed = context.rng.u32() | 0;
    this.rules = new RoutingRules(context, () => this.invalidate());
  }

  /** In the order in which they were added. */
  get all(): Iterable<Route> {
    return this.#routes;
  }

  get size(): number {
    return this.#routes.size;
  }

  /** Every path has to be found anew: also after addresses or interfaces changed. */
  invalidate(): void {
    this.generation = (this.generation + 1) | 0;
  }

  /**
   * Null when the tables are full or have the same route already (same table, prefix, way and metric).
   * @throws RangeError for a route that makes no sense (see `Route`)
   */
  add(spec: RouteSpec): Route | null {
    const route = new Route(spec);
    if (this.#routes.size >= this.#context.limits.routes || this.find(route) !== null) return null;
    let table = this.#tables.get(route.table);
    if (table === undefined) {
      table = new PrefixIndex(this.#seed);
      this.#tables.set(route.table, table);
    }
    table.add(route);
    this.#routes.add(route);
    this.#tell("route-added", route);
    return route;
  }

  remove(route: Route): boolean {
    if (!this.#routes.delete(route)) return false;
    const table = this.#tables.get(route.table)!;
    table.remove(route);
    if (table.isEmpty) this.#tables.delete(route.table);
    this.#tell("route-removed", route);
    return true;
  }

  /** The route with the same table, prefix, way and metric, or null. */
  find(spec: RouteSpec | Route): Route | null {
    const wanted = spec instanceof Route ? spec : new Route(spec);
    const routes = this.#tables.get(wanted.table)?.exact(wanted.destination) ?? [];
    return routes.find((route) => route.sameWay(wanted)) ?? null;
  }

  /** Removes those of an interface, of one origin or all; returns how many. */
  removeOf(via: Interface, origin?: RouteOrigin): number {
    let removed = 0;
    for (const route of [...this.#routes]) {
      if (route.interface !== via) continue;
      if (origin !== undefined && route.origin !== origin) continue;
      if (this.remove(route)) removed++;
    }
    return removed;
  }

  /** The route for such a packet, possibly a refusal; null: there is none. Allocates nothing. */
  lookup(query: RouteQuery): Route | null {
    const rules = this.rules.all;
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!;
      if (!ruleMatches(rule, query)) continue;
      if (rule.action === "prohibit") return PROHIBITED;
      const table = this.#tables.get(rule.action.table);
      const route = table === undefined ? null : lookupIn(table, query);
      if (route !== null) return route;
    }
    return null;
  }

  #tell(kind: "route-added" | "route-removed", route: Route): void {
    this.invalidate();
    this.#context.emit({
      kind,
      destination: route.destination.toString(),
      via: route.via === null ? null : route.via.toString(),
      interface: route.interface === null ? route.kind : route.interface.name,
      metric: route.metric,
      table: route.table,
    });
  }
}

function lookupIn(table: PrefixIndex, query: RouteQuery): Route | null {
  const { version, d0, d1, d2, d3, outgoing } = query;
  let shorterThan = 129;
  for (;;) {
    const routes = table.matchWords(version, d0, d1, d2, d3, shorterThan);
    if (routes === null) return null;
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i]!;
      if (outgoing !== null && route.interface !== null && route.interface !== outgoing) continue;
      if (route.usable) return route;
    }
    shorterThan = routes[0]!.destination.length;
  }
}
