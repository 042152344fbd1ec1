import type { Rng } from "../../../core/random.ts";
import type { Instant } from "../../../core/time.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Balancer, Candidates, PickInput } from "./balancer.ts";
import { WeightedDraw } from "./weighted-draw.ts";

/**
 * Two choices by load, Linkerd's: two endpoints are drawn by weight, and the lower load is taken, where
 * load = peak EWMA of the time to answer × (requests in flight + 1) / weight. Equal loads go to the
 * one that was drawn first. A weight of 2 so stands for twice the requests in flight at equal times.
 */
export class P2cEwma implements Balancer {
  readonly #draw: WeightedDraw;

  constructor(endpoints: readonly Endpoint[]) {
    this.#draw = new WeightedDraw(endpoints);
  }

  pick(candidates: Candidates, _input: PickInput, now: Instant, rng: Rng): Endpoint | null {
    const first = this.#draw.draw(candidates, rng, null);
    if (first === null) return null;
    const second = this.#draw.draw(candidates, rng, first);
    return second !== null && load(second, now) < load(first, now) ? second : first;
  }
}

const load = (endpoint: Endpoint, now: Instant): number =>
  (endpoint.cost(now) * (endpoint.active + 1)) / endpoint.weight;
