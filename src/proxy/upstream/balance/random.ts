import type { Rng } from "../../../core/random.ts";
import type { Instant } from "../../../core/time.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Balancer, Candidates, PickInput } from "./balancer.ts";
import { WeightedDraw } from "./weighted-draw.ts";

/** Each request goes anywhere, with a probability in proportion to the weight. */
export class RandomBalancer implements Balancer {
  readonly #draw: WeightedDraw;

  constructor(endpoints: readonly Endpoint[]) {
    this.#draw = new WeightedDraw(endpoints);
  }

  pick(candidates: Candidates, _input: PickInput, _now: Instant, rng: Rng): Endpoint | null {
    return this.#draw.draw(candidates, rng, null);
  }
}
