import type { Endpoint } from "../endpoint.ts";
import type { Balancer, Candidates } from "./balancer.ts";

/**
 * Smooth weighted round-robin, nginx's: of weights 5, 1, 1 it makes a a b a c a a, not a a a a a b c.
 * At each pick every candidate earns its weight; the richest is picked and pays what all have earned.
 * Over a run of as many picks as the weights' sum each gets exactly its weight, and equal riches go to
 * the first in order. Takes time in proportion to the number of endpoints.
 */
export class RoundRobin implements Balancer {
  readonly #endpoints: readonly Endpoint[];
  readonly #credit: Float64Array;

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints;
    this.#credit = new Float64Array(endpoints.length);
  }

  pick(candidates: Candidates): Endpoint | null {
    const endpoints = this.#endpoints;
    const credit = this.#credit;
    let best = -1;
    let earned = 0;
    for (let i = 0; i < endpoints.length; i++) {
      const endpoint = endpoints[i]!;
      if (!candidates.accepts(endpoint)) continue;
      credit[i]! += endpoint.weight;
      earned += endpoint.weight;
      if (best < 0 || credit[i]! > credit[best]!) best = i;
    }
    if (best < 0) return null;
    credit[best]! -= earned;
    return endpoints[best]!;
  }
}
