import { type LinkCapture, LinkCaptures } from "./capture.ts";
import { Channel, type Endpoint } from "./channel.ts";
import { checkConditions, type LinkConditions } from "./conditions.ts";
import type { Simulation } from "./simulation.ts";

/** Which way: from the end that was named first, or to it. */
export type Direction = "forward" | "backward" | "both";

/** A full-duplex link between two ends. Its conditions may change at any time. */
export class SimulatedLink {
  /** From the end that was named first to the other, and back. */
  readonly forward: Channel;
  readonly backward: Channel;
  readonly #ends: readonly [Endpoint, Endpoint];
  readonly #captures: LinkCaptures;
  #up = true;

  constructor(
    simulation: Simulation,
    a: Endpoint,
    b: Endpoint,
    forward: LinkConditions,
    backward: LinkConditions = forward,
  ) {
    if (a.medium !== b.medium) throw new TypeError(`${a.name} and ${b.name}: not the same medium`);
    checkConditions(forward);
    checkConditions(backward);
    this.#ends = [a, b];
    this.forward = new Channel(simulation, a, b, forward);
    this.backward = new Channel(simulation, b, a, backward);
    this.#captures = new LinkCaptures(simulation, this.forward, this.backward, a);
    this.#tellMtu();
  }

  /**
   * Frames that are being sent or are on their way keep their times. A change of `mtu` reaches the
   * devices of both ends, which have the smaller one of both directions. Throws a RangeError for what no
   * link can be like.
   */
  set(conditions: Partial<LinkConditions>, direction: Direction = "both"): void {
    const forward = { ...this.forward.conditions, ...conditions };
    const backward = { ...this.backward.conditions, ...conditions };
    checkConditions(forward);
    checkConditions(backward);
    if (direction !== "backward") this.forward.conditions = forward;
    if (direction !== "forward") this.backward.conditions = backward;
    this.#tellMtu();
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** Unplugs it: both ends see the carrier go; all that was on its way is lost. */
  down(): void {
    this.#setUp(false);
  }

  up(): void {
    this.#setUp(true);
  }

  /** Writes what the first end sends and receives, until `stop`. */
  capture(capture: LinkCapture): () => void {
    return this.#captures.add(capture);
  }

  #setUp(up: boolean): void {
    if (up === this.#up) return;
    this.#up = up;
    this.forward.setUp(up);
    this.backward.setUp(up);
    for (const end of this.#ends) end.carrier(up);
  }

  #tellMtu(): void {
    const mtu = Math.min(this.forward.conditions.mtu, this.backward.conditions.mtu);
    for (const end of this.#ends) end.setMtu(mtu);
  }
}
