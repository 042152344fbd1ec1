import { below, type Rng } from "../../../core/random.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Candidates } from "./balancer.ts";

/** Blind draws before the candidates are looked at one by one. */
const DRAWS = 4;

/**
 * Draws endpoints at random, each with a probability in proportion to its weight among those that are
 * accepted. As a rule one draw and a bisection of the running sums do; where draws keep hitting
 * endpoints that are not accepted, a scan ends it, with the same probabilities.
 */
export class WeightedDraw {
  readonly #endpoints: readonly Endpoint[];
  /** The sum of the weights up to and including each endpoint. */
  readonly #sums: Float64Array;
  readonly #total: number;

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints;
    this.#sums = new Float64Array(endpoints.length);
    let total = 0;
    for (let i = 0; i < endpoints.length; i++) {
      total += endpoints[i]!.weight;
      this.#sums[i] = total;
    }
    this.#total = total;
  }

  /** An accepted endpoint other than `except`, or null when there is none. */
  draw(candidates: Candidates, rng: Rng, except: Endpoint | null): Endpoint | null {
    if (this.#total === 0) return null;
    for (let i = 0; i < DRAWS; i++) {
      const endpoint = this.#at(below(rng, this.#total));
      if (endpoint !== except && candidates.accepts(endpoint)) return endpoint;
    }
    return this.#scan(candidates, rng, except);
  }

  #at(share: number): Endpoint {
    const sums = this.#sums;
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sums[middle]! > share) high = middle;
      else low = middle + 1;
    }
    return this.#endpoints[low]!;
  }

  #scan(candidates: Candidates, rng: Rng, except: Endpoint | null): Endpoint | null {
    const endpoints = this.#endpoints;
    let total = 0;
    for (let i = 0; i < endpoints.length; i++) {
      const endpoint = endpoints[i]!;
      if (endpoint !== except && candidates.accepts(endpoint)) total += endpoint.weight;
    }
    if (total === 0) return null;
    let share = below(rng, total);
    for (let i = 0; i < endpoints.length; i++) {
      const endpoint = endpoints[i]!;
      if (endpoint === except || !candidates.accepts(endpoint)) continue;
      share -= endpoint.weight;
      if (share < 0) return endpoint;
    }
    return null;
  }
}
