/** Routes whose calls of gRPC are counted one by one. */
export interface CallNames {
  readonly routes: readonly { readonly listener: string; readonly route: string }[];
  /** Names of gRPC's statuses by their number. */
  readonly statuses: readonly string[];
}

export const OTHER_ROUTE = "other";
const OTHER_STATUS = "other";

/**
 * Where calls of gRPC are counted, by listener, route and status. Calls under a route that a program named
 * count under `OTHER_ROUTE` of their listener, statuses that there are not under the last: labels stay
 * bounded.
 */
export class CallSlots {
  readonly routes: CallNames["routes"];
  readonly statuses: readonly string[];
  /** Slots in all, and the first of them. */
  readonly count: number;
  readonly #at: number;
  readonly #index = new Map<string, Map<string, number>>();

  /** `listeners`: all that a call may count under; the last for what is unknown. */
  constructor(listeners: readonly string[], names: CallNames | undefined, at: number) {
    const others = listeners.map((listener) => ({ listener, route: OTHER_ROUTE }));
    this.routes = [...(names?.routes ?? []), ...others];
    this.statuses = [...(names?.statuses ?? []), OTHER_STATUS];
    this.#at = at;
    this.count = this.routes.length * this.statuses.length;
    for (const [i, { listener, route }] of this.routes.entries()) {
      const byRoute = this.#index.get(listener) ?? new Map<string, number>();
      if (!byRoute.has(route)) byRoute.set(route, i);
      this.#index.set(listener, byRoute);
    }
  }

  slot(listener: string, route: string, status: number): number {
    const byRoute = this.#index.get(listener);
    const index = byRoute?.get(route) ?? byRoute?.get(OTHER_ROUTE) ?? this.routes.length - 1;
    const known = status >= 0 && status < this.statuses.length - 1;
    return this.at(index, known ? status : this.statuses.length - 1);
  }

  /** The slot of `routes[index]` and `statuses[status]`. */
  at(index: number, status: number): number {
    return this.#at + index * this.statuses.length + status;
  }
}
