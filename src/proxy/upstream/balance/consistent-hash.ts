import type { Rng } from "../../../core/random.ts";
import type { Instant } from "../../../core/time.ts";
import type { HashSource } from "../../settings.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Balancer, Candidates, PickInput } from "./balancer.ts";
import { hashText } from "./hash.ts";
import { HashRing } from "./hash-ring.ts";
import { WeightedDraw } from "./weighted-draw.ts";

/**
 * Requests with the same key go to the same endpoint, as long as that is accepted; otherwise to the
 * next on the ring, the same one for all that share the key. A request without the header or cookie
 * goes anywhere, by weight; one with an empty value has a key like any other.
 */
export class ConsistentHash implements Balancer {
  readonly #on: HashSource;
  readonly #ring: HashRing;
  readonly #draw: WeightedDraw;

  constructor(endpoints: readonly Endpoint[], on: HashSource) {
    this.#on = on;
    this.#ring = new HashRing(endpoints);
    this.#draw = new WeightedDraw(endpoints);
  }

  pick(candidates: Candidates, input: PickInput, _now: Instant, rng: Rng): Endpoint | null {
    const key = this.#key(input);
    if (key === undefined) return this.#draw.draw(candidates, rng, null);
    return this.#ring.find(hashText(key), candidates);
  }

  #key(input: PickInput): string | undefined {
    const on = this.#on;
    if (on.kind === "client-address") return input.clientAddress();
    return on.kind === "header" ? input.header(on.name) : input.cookie(on.name);
  }
}
