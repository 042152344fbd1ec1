import type { RoutableRequest } from "./conditions.ts";
import type { Route } from "./route.ts";

/** From so many routes on, asking one after the other costs more than looking up the first segment. */
const indexedFrom = 12;

/**
 * The routes of one host. Exact paths are looked up, the others asked in order; where those are many,
 * only the ones that the path's first segment leaves.
 */
export class RouteGroup {
  readonly #exact = new Map<string, Route[]>();
  readonly #others: Route[] = [];
  /** By first segment: its routes and those of any segment, in order. null: not worth it. */
  #bySegment: ReadonlyMap<string, readonly Route[]> | null = null;
  /** Those of any first segment. */
  #general: readonly Route[] = [];

  /** Routes come in the order of `bySpecificity`; `index` follows the last. */
  add(route: Route): void {
    const path = route.exactPath;
    if (path === null) {
      this.#others.push(route);
      return;
    }
    const same = this.#exact.get(path);
    if (same === undefined) this.#exact.set(path, [route]);
    else same.push(route);
  }

  index(): void {
    if (this.#others.length < indexedFrom) return;
    const bySegment = new Map<string, readonly Route[]>();
    for (const { firstSegment } of this.#others) {
      if (firstSegment === null || bySegment.has(firstSegment)) continue;
      bySegment.set(firstSegment, this.#startingWith(firstSegment));
    }
    this.#bySegment = bySegment;
    this.#general = this.#startingWith(null);
  }

  get isTotal(): boolean {
    return this.#others.some((route) => route.isCatchAll);
  }

  /** `path` is normalised. */
  find(request: RoutableRequest, path: string): Route | null {
    const exact = this.#exact.size > 0 ? this.#exact.get(path) : undefined;
    if (exact !== undefined) {
      for (let i = 0; i < exact.length; i++) {
        if (exact[i]!.conditions.hold(request)) return exact[i]!;
      }
    }
    const routes = this.#bySegment === null ? this.#others : this.#candidates(path);
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i]!;
      if (route.matches(request, path)) return route;
    }
    return null;
  }

  #candidates(path: string): readonly Route[] {
    const slash = path.indexOf("/", 1);
    const segment = slash < 0 ? path.slice(1) : path.slice(1, slash);
    return this.#bySegment!.get(segment) ?? this.#general;
  }

  #startingWith(segment: string | null): readonly Route[] {
    return this.#others.filter(
      (route) => route.firstSegment === null || route.firstSegment === segment,
    );
  }
}
