import { after, type Duration, seconds } from "../../core/time.ts";
import type { StackContext } from "../context.ts";
import { Deadline } from "../deadline.ts";

/** RFC 3376 §8, RFC 3810 §9. */
const DEFAULT_ROBUSTNESS = 2;
const DEFAULT_QUERY_INTERVAL = seconds(125);
const QUERY_RESPONSE_INTERVAL = seconds(10);

/**
 * Which version of IGMP or MLD the queriers of a link speak (RFC 3376 §7.2.1, RFC 3810 §8.2.1): the
 * oldest that was heard in the last minutes, else our own.
 */
export class QuerierVersions {
  /** Robustness Variable: how often a change is told. */
  robustness = DEFAULT_ROBUSTNESS;
  readonly #context: StackContext;
  readonly #newest: number;
  /** By version, from 1: until when such a querier is taken to be there. */
  readonly #older: Deadline[] = [];
  #interval: Duration = DEFAULT_QUERY_INTERVAL;

  /** `newest`: our own version; `onChange`: the version to speak has changed with time. */
  constructor(context: StackContext, newest: number, onChange: () => void) {
    this.#context = context;
    this.#newest = newest;
    for (let version = 1; version < newest; version++) {
      this.#older.push(new Deadline(context, onChange));
    }
  }

  /** What is to be spoken. */
  get current(): number {
    const at = this.#older.findIndex(({ isSet }) => isSet);
    return at < 0 ? this.#newest : at + 1;
  }

  /** A query came. `robustness` and `interval` as told by one of our version, else 0. */
  heard(version: number, robustness: number, interval: Duration): void {
    if (version < this.#newest) {
      const timeout = this.robustness * this.#interval + QUERY_RESPONSE_INTERVAL;
      this.#older[version - 1]!.set(after(this.#context.now(), timeout as Duration));
      return;
    }
    // RFC 3376 §4.1.6 and §4.1.7: zero is not told.
    this.robustness = robustness === 0 ? DEFAULT_ROBUSTNESS : robustness;
    this.#interval = interval === 0 ? DEFAULT_QUERY_INTERVAL : interval;
  }

  reset(): void {
    for (const deadline of this.#older) deadline.cancel();
    this.robustness = DEFAULT_ROBUSTNESS;
    this.#interval = DEFAULT_QUERY_INTERVAL;
  }
}
