import type { Rng } from "../../core/random.ts";
import type { Instant } from "../../core/time.ts";
import { drawLatency, drawReset, type LinkConditions } from "./link.ts";

/** The world in which streams live: virtual time, and what is going to happen in it. */
export interface Simulation {
  readonly now: Instant;
  at(instant: number, run: () => void): void;
  /** An error that a handler threw. */
  fault(error: unknown): void;
  note(what: string): void;
  /** Memory for `onData`, at least so long; shared by all, and overwritten after each call. */
  lend(length: number): Uint8Array;
}

/** What the two ends of a connection share: the link between them, its chance, what went over it. */
export class Connection {
  readonly simulation: Simulation;
  readonly link: LinkConditions;
  readonly rng: Rng;
  /** The link has broken: nothing arrives any more but the resets. */
  cut = false;
  #arrived = 0;

  constructor(simulation: Simulation, link: LinkConditions, rng: Rng) {
    this.simulation = simulation;
    this.link = link;
    this.rng = rng;
  }

  /** Counts a delivery; returns how many of its bytes get through, and cuts the link where it breaks. */
  admit(length: number): number {
    if (drawReset(this.link, this.rng)) {
      this.cut = true;
      return 0;
    }
    const admitted = Math.min(length, this.link.resetAfter - this.#arrived);
    this.#arrived += admitted;
    this.cut = this.#arrived >= this.link.resetAfter;
    return admitted;
  }

  way(): Way {
    return new Way(this);
  }
}

/** One direction of a connection: what is sent arrives late, never out of order. */
export class Way {
  readonly #connection: Connection;
  #lastArrival = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** `arrive` runs when what is sent now gets there. */
  send(arrive: () => void): void {
    const { simulation, link, rng } = this.#connection;
    this.#lastArrival = Math.max(this.#lastArrival, simulation.now + drawLatency(link, rng));
    simulation.at(this.#lastArrival, arrive);
  }
}
