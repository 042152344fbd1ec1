import { below, type Rng } from "../../../core/random.ts";
import type { Instant } from "../../../core/time.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Balancer, Candidates, PickInput } from "./balancer.ts";
import { WeightedDraw } from "./weighted-draw.ts";

/** Up to so many endpoints all are compared. */
const FULL_SCAN = 8;

/**
 * The endpoint with the fewest requests in flight for its weight. Up to eight endpoints are compared
 * all; of more, two that are drawn by weight (the power of two choices: Mitzenmacher 2001), so that a
 * pick stays cheap and the workers, who do not know of each other's requests, do not all choose the
 * same one. Equal loads, such as none at all, are decided by chance in proportion to the weights.
 */
export class LeastRequest implements Balancer {
  readonly #endpoints: readonly Endpoint[];
  readonly #draw: WeightedDraw;

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints;
    this.#draw = new WeightedDraw(endpoints);
  }

  pick(candidates: Candidates, _input: PickInput, _now: Instant, rng: Rng): Endpoint | null {
    if (this.#endpoints.length <= FULL_SCAN) return this.#least(candidates, rng);
    const first = this.#draw.draw(candidates, rng, null);
    if (first === null) return null;
    const second = this.#draw.draw(candidates, rng, first);
    return second !== null && compareLoad(second, first) < 0 ? second : first;
  }

  #least(candidates: Candidates, rng: Rng): Endpoint | null {
    let best: Endpoint | null = null;
    /** The weights of all that are as good as the best, itself included. */
    let tied = 0;
    for (let i = 0; i < this.#endpoints.length; i++) {
      const endpoint = this.#endpoints[i]!;
      if (!candidates.accepts(endpoint)) continue;
      const order = best === null ? -1 : compareLoad(endpoint, best);
      if (order > 0) continue;
      tied = order < 0 ? endpoint.weight : tied + endpoint.weight;
      // One draw a tie leaves each with a chance in proportion to its weight (a reservoir of one).
      if (order < 0 || below(rng, tied) < endpoint.weight) best = endpoint;
    }
    return best;
  }
}

/** Requests for weight, a's against b's, without dividing: negative when a has fewer. */
const compareLoad = (a: Endpoint, b: Endpoint): number => a.active * b.weight - b.active * a.weight;
