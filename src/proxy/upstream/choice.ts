import type { Instant } from "../../core/time.ts";
import type { Candidates } from "./balance/balancer.ts";
import type { Endpoint } from "./endpoint.ts";

const none: readonly Endpoint[] = [];

/** Who may be picked for one request: those with capacity, and, unless widened, up and not yet tried. */
export class Choice implements Candidates {
  #now = 0 as Instant;
  #tried: readonly Endpoint[] = none;
  #orTried = false;
  #orDown = false;

  begin(tried: readonly Endpoint[], now: Instant): void {
    this.#now = now;
    this.#tried = tried;
    this.#orTried = false;
    this.#orDown = false;
  }

  widen(orTried: boolean, orDown: boolean): void {
    this.#orTried = orTried;
    this.#orDown = orDown;
  }

  /** Lets go of the caller's array. */
  end(): void {
    this.#tried = none;
  }

  accepts(endpoint: Endpoint): boolean {
    if (!endpoint.hasCapacity) return false;
    if (!this.#orDown && endpoint.state(this.#now) !== "up") return false;
    return this.#orTried || this.#tried.length === 0 || !this.#tried.includes(endpoint);
  }
}
