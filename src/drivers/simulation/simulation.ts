import { type Rng, SeededRng } from "../../core/random.ts";
import { type Clock, type Instant, instant } from "../../core/time.ts";
import { Packet } from "../../netstack/packet.ts";
import { Segmenter } from "../../netstack/segmentation/segmentation.ts";
import { Agenda } from "./agenda.ts";
import { FramePool } from "./frame.ts";

/** Virtual time, what is going to happen in it, and one source of chance for each part. */
export class Simulation implements Clock {
  readonly agenda = new Agenda();
  readonly pool = new FramePool();
  /** For links that cut long segments, one at a time. */
  readonly segmenter = new Segmenter();
  readonly segment = Packet.allocate();
  /** Told of all that frames undergo; null costs nothing. */
  readonly trace: ((line: string) => void) | null;
  readonly #seed: number;
  readonly #onFault: ((error: unknown) => void) | null;
  readonly #faults: unknown[] = [];
  #forks = 0;
  #time = 1_000_000;

  constructor(
    seed: number,
    trace: ((line: string) => void) | null,
    onFault: ((error: unknown) => void) | null,
  ) {
    this.#seed = seed;
    this.trace = trace;
    this.#onFault = onFault;
  }

  now(): Instant {
    return instant(this.#time);
  }

  /** With the fraction of a microsecond. */
  get time(): number {
    return this.#time;
  }

  /** Numbers that depend on the seed and on how many were forked before. */
  fork(): Rng {
    return new SeededRng(this.#seed, ++this.#forks);
  }

  moveTo(time: number): void {
    if (time > this.#time) this.#time = time;
  }

  /** Lets the next thing happen; there must be one. */
  step(): void {
    const next = this.agenda.take();
    this.moveTo(next.at);
    next.happen();
    if (this.#faults.length === 0) return;
    const faults = this.#faults.splice(0);
    throw faults.length === 1 ? faults[0] : new AggregateError(faults, "handlers failed");
  }

  /** Somebody's handler threw: told at once, or thrown at the end of the step. */
  fault(error: unknown): void {
    if (this.#onFault === null) this.#faults.push(error);
    else this.#onFault(error);
  }
}
