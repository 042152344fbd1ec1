import type { RoutableRequest } from "./conditions.ts";
import { RouteGroup } from "./group.ts";
import { isPlain, normalizePath, withSeparatorsDecoded } from "./path.ts";
import { bySpecificity, Route } from "./route.ts";
import type { RouteSettings } from "./settings.ts";

/**
 * "bad-path": the path is not to be trusted and is answered 400. It has no normal form (see
 * `normalizePath`), or an origin that decodes `%2F` would see a path of a more specific route.
 */
export type Lookup = Route | "no-route" | "bad-path";

/**
 * The routes of a listener, compiled once. Routes of the request's exact host come first, then those of
 * the longest wildcard that takes it, then those of any host; within each, `bySpecificity`. When none of
 * an earlier group matches, the next is asked.
 *
 * `find` allocates nothing for exact hosts and for paths that are normal already; with wildcards it
 * makes a string per label, with many routes of one host a string for the path's first segment.
 */
export class RouteTable {
  readonly #any = new RouteGroup();
  readonly #hosts = new Map<string, RouteGroup>();
  /** By the part from the dot on: ".example.com". */
  readonly #wildcards = new Map<string, RouteGroup>();
  /** The route that takes every request, where there is just that one. */
  readonly #only: Route | null;
  readonly #normalizes: boolean;
  readonly routes: readonly Route[];

  constructor(settings: readonly RouteSettings[]) {
    this.routes = settings.map((route, index) => new Route(route, index));
    for (const route of this.routes.toSorted(bySpecificity)) {
      const { hosts } = route.settings.match;
      if (hosts.length === 0) this.#any.add(route);
      for (const host of new Set(hosts)) this.#groupOf(host.toLowerCase()).add(route);
    }
    this.#any.index();
    for (const group of this.#hosts.values()) group.index();
    for (const group of this.#wildcards.values()) group.index();
    const [first] = this.routes;
    const alone = this.routes.length === 1 && first!.isCatchAll && hostsOf(first!).length === 0;
    this.#only = alone ? first! : null;
    this.#normalizes = this.routes.some((route) => !route.takesAnyPath);
  }

  /** The one route that takes every request, or null when there is something to choose. */
  get only(): Route | null {
    return this.#only;
  }

  /** Whether every request finds a route: `find` never answers with a word. */
  get isTotal(): boolean {
    return !this.#normalizes && this.#any.isTotal;
  }

  find(request: RoutableRequest): Lookup {
    if (this.#only !== null) return this.#only;
    if (!this.#normalizes) return this.#search(request, "");
    const { path } = request;
    return isPlain(path) ? this.#search(request, path) : this.#findUnusual(request, path);
  }

  /** The rule of a route must not be walked around by a spelling that leads to another route here. */
  #findUnusual(request: RoutableRequest, raw: string): Lookup {
    const path = normalizePath(raw);
    if (path === null) return "bad-path";
    const found = this.#search(request, path);
    const decoded = withSeparatorsDecoded(path);
    if (decoded === path || found === "no-route") return found;
    const other = this.#search(request, decoded);
    if (other === "no-route") return found;
    const host = hostOf(request);
    const order = hostRank(other, host) - hostRank(found, host) || bySpecificity(found, other);
    return order > 0 ? "bad-path" : found;
  }

  #search(request: RoutableRequest, path: string): Route | "no-route" {
    if (this.#hosts.size > 0 || this.#wildcards.size > 0) {
      const found = this.#findByHost(request, path);
      if (found !== null) return found;
    }
    return this.#any.find(request, path) ?? "no-route";
  }

  #findByHost(request: RoutableRequest, path: string): Route | null {
    const host = hostOf(request);
    const found = this.#hosts.get(host)?.find(request, path) ?? null;
    if (found !== null || this.#wildcards.size === 0) return found;
    // From the first dot on: the longest wildcard comes first. A leading dot leaves no label before it.
    for (let dot = host.indexOf(".", 1); dot > 0; dot = host.indexOf(".", dot + 1)) {
      const wild = this.#wildcards.get(host.slice(dot))?.find(request, path) ?? null;
      if (wild !== null) return wild;
    }
    return null;
  }

  #groupOf(host: string): RouteGroup {
    const [groups, key] = host.startsWith("*.")
      ? [this.#wildcards, host.slice(1)]
      : [this.#hosts, host];
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = new RouteGroup()));
    return group;
  }
}

const hostsOf = (route: Route): readonly string[] => route.settings.match.hosts;

/** A name with its root dot is the same name (RFC 3986 §3.2.2). */
function hostOf({ hostName }: RoutableRequest): string {
  return hostName.length > 1 && hostName.endsWith(".") ? hostName.slice(0, -1) : hostName;
}

/** How closely a route that takes `host` names it: by itself, by the longest wildcard, not at all. */
function hostRank(route: Route, host: string): number {
  let rank = 0;
  for (const name of hostsOf(route)) {
    const pattern = name.toLowerCase();
    if (pattern === host) return Number.MAX_SAFE_INTEGER;
    if (pattern.startsWith("*.") && host.endsWith(pattern.slice(1))) {
      rank = Math.max(rank, pattern.length);
    }
  }
  return rank;
}
