import type { Rng } from "../../../core/random.ts";
import type { Instant } from "../../../core/time.ts";
import type { Endpoint } from "../endpoint.ts";

/** What a pick may look at of a request. Asked only by `consistent-hash`. */
export interface PickInput {
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
  clientAddress(): string;
}

/** Which endpoints may be picked this time. An object that lives on, so that no pick makes a closure. */
export interface Candidates {
  accepts(endpoint: Endpoint): boolean;
}

/**
 * Chooses among the endpoints that it was made with; a change of membership makes a new one. A pick
 * allocates nothing, and answers null only when no candidate is accepted.
 */
export interface Balancer {
  pick(candidates: Candidates, input: PickInput, now: Instant, rng: Rng): Endpoint | null;
}
