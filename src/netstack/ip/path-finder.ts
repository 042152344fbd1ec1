import type { StackContext } from "../context.ts";
import type { Interface } from "../interface.ts";
import { hashWords, IPV4_BROADCAST, type Ip } from "../ip-address.ts";
import { Scope, scopeOf } from "./address-policy.ts";
import type { NoPath, PathConstraint } from "./ip-layer.ts";
import { isDirectedBroadcast, type LocalAddresses } from "./local-addresses.ts";
import { KnownPath } from "./path.ts";
import type { PathMtuCache } from "./path-mtu.ts";
import type { Route } from "./route.ts";
import { RouteQuery } from "./route-query.ts";
import type { RoutingTable } from "./routing-table.ts";
import { selectSource } from "./source-selection.ts";

/** The way without its source: by that interface, to that neighbour. */
interface Hop {
  readonly interface: Interface;
  readonly nextHop: Ip;
  readonly route: Route | null;
}

/**
 * Finds paths and remembers them, so that who sends datagrams here and there need not keep any. At most
 * `limits.paths`; the one found longest ago goes, and lives on with those who hold it.
 */
export class PathFinder {
  readonly #context: StackContext;
  readonly #routes: RoutingTable;
  readonly #local: LocalAddresses;
  readonly #pathMtus: PathMtuCache;
  readonly #seed: number;
  /** By hash, in the order in which they were found. */
  readonly #paths = new Map<number, KnownPath>();
  #size = 0;
  #generation = 0;
  readonly #query = new RouteQuery();

  constructor(
    context: StackContext,
    routes: RoutingTable,
    local: LocalAddresses,
    pathMtus: PathMtuCache,
  ) {
    this.#context = context;
    this.#routes = routes;
    this.#local = local;
    this.#pathMtus = pathMtus;
    this.#seed = context.rng.u32() | 0;
  }

  get size(): number {
    return this.#size;
  }

  resolve(destination: Ip, constraint?: PathConstraint): KnownPath | NoPath {
    if (this.#generation !== this.#routes.generation) this.#forget();
    const key = this.#key(destination, constraint);
    let path = this.#paths.get(key) ?? null;
    for (; path !== null; path = path.next) if (path.answers(destination, constraint)) return path;
    return this.#find(destination, constraint, key);
  }

  #find(destination: Ip, constraint: PathConstraint | undefined, key: number): KnownPath | NoPath {
    const wanted = constraint?.source;
    const bound = wanted === undefined || wanted.isUnspecified ? null : wanted;
    if (bound !== null && bound.version !== destination.version) return "no-source";
    const hop = this.#hop(destination, bound, constraint?.interface ?? null);
    if (typeof hop === "string") return hop;
    const source = this.#source(destination, hop, bound, constraint?.anySource === true);
    if (source === null) return "no-source";
    const facts = {
      destination,
      source,
      interface: hop.interface,
      nextHop: hop.nextHop,
      mtu: hop.route?.mtu ?? 0,
    };
    const path = new KnownPath(facts, constraint, this.#routes, this.#pathMtus);
    this.#remember(path, key);
    return path;
  }

  #hop(destination: Ip, source: Ip | null, out: Interface | null): Hop | NoPath {
    if (destination.isUnspecified) return "no-route";
    const { loopback } = this.#local;
    if (loopback?.up && this.#isHere(destination, out)) {
      return { interface: loopback, nextHop: destination, route: null };
    }
    // RFC 1122 §3.2.1.3 (g): such packets must not appear outside.
    if (destination.isLoopback) return "no-route";
    if (!needsNoRoute(destination)) return this.#routed(destination, source, out);
    const by = out ?? this.#interfaceOf(destination, source);
    if (by === null || !by.up) return "no-route";
    return { interface: by, nextHop: destination, route: null };
  }

  #routed(destination: Ip, source: Ip | null, out: Interface | null): Hop | NoPath {
    const query = this.#query.to(destination).by(out);
    if (source !== null) query.from(source);
    const route = this.#routes.lookup(query);
    if (route === null || route.kind === "blackhole" || route.kind === "unreachable") {
      return "no-route";
    }
    if (route.kind === "prohibit") return "prohibited";
    const by = route.interface!;
    const broadcast = destination.version === 4 && isDirectedBroadcast(by, destination.w3);
    // A link knows one broadcast address, whatever prefixes are used on it.
    const neighbor = broadcast && route.via === null ? IPV4_BROADCAST : destination;
    return { interface: by, nextHop: route.via ?? neighbor, route };
  }

  /** One of our own addresses; a link-local one only of the interface that it is asked for. */
  #isHere(destination: Ip, out: Interface | null): boolean {
    if (destination.isLoopback) return true;
    if (destination.isMulticast) {
      return destination.version === 6 && scopeOf(destination) <= Scope.interfaceLocal;
    }
    const zone = destination.version === 6 && destination.isLinkLocal ? out : null;
    return this.#local.owner(destination, zone) !== null;
  }

  /** For groups, broadcast and link-local addresses: where the source is, else where a route leads. */
  #interfaceOf(destination: Ip, source: Ip | null): Interface | null {
    const home = source === null ? null : this.#local.owner(source, null);
    if (home !== null && home !== this.#local.loopback) return home;
    if (!destination.isLinkLocal && !destination.isLimitedBroadcast) {
      const route = this.#routes.lookup(this.#query.to(destination));
      if (route?.kind === "unicast") return route.interface;
    }
    return this.#only(destination);
  }

  /**
   * The one interface that is up; of several, the first for groups, and none for addresses that mean
   * another node on each of them (RFC 4007 §6).
   */
  #only(destination: Ip): Interface | null {
    const up = this.#local.interfaces.filter((one) => one.up && one.device.medium !== "loopback");
    if (up.length > 1 && !destination.isMulticast && !destination.isLimitedBroadcast) return null;
    return up[0] ?? null;
  }

  #source(destination: Ip, hop: Hop, bound: Ip | null, any: boolean): Ip | null {
    const inside = hop.interface === this.#local.loopback;
    if (bound !== null) {
      if (!any && !this.#local.isLocal(bound)) return null;
      return bound.isLoopback && !inside ? null : bound;
    }
    if (inside && this.#local.owner(destination, null) !== null) return destination;
    const preferred = hop.route?.source ?? null;
    if (preferred !== null && this.#local.isLocal(preferred)) return preferred;
    const way = { destination, nextHop: hop.nextHop, interface: hop.interface };
    return selectSource(way, this.#local.interfaces);
  }

  #remember(path: KnownPath, key: number): void {
    if (this.#size >= this.#context.limits.paths) this.#evict();
    path.next = this.#paths.get(key) ?? null;
    this.#paths.set(key, path);
    this.#size++;
  }

  #evict(): void {
    for (const [key, oldest] of this.#paths) {
      this.#paths.delete(key);
      for (let path: KnownPath | null = oldest; path !== null; path = path.next) this.#size--;
      return;
    }
  }

  #forget(): void {
    this.#paths.clear();
    this.#size = 0;
    this.#generation = this.#routes.generation;
  }

  #key({ w0, w1, w2, w3 }: Ip, constraint: PathConstraint | undefined): number {
    let seed = this.#seed;
    if (constraint !== undefined) {
      seed ^=
        (constraint.interface?.index ?? 0) ^ Math.imul(constraint.source?.w3 ?? 0, 0x9e37_79b1);
    }
    return hashWords(seed, w0, w1, w2, w3);
  }
}

/** Addresses that name neighbours or groups of a link, whatever the tables say. */
const needsNoRoute = (ip: Ip): boolean =>
  ip.isMulticast || ip.isLimitedBroadcast || (ip.version === 6 && ip.isLinkLocal);
