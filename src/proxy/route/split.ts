import { below, type Rng } from "../../core/random.ts";
import type { Session } from "../session-api.ts";
import { hashText } from "../upstream/balance/hash.ts";
import type { RouteAction } from "./settings.ts";

type SplitSettings = Extract<RouteAction, { kind: "split" }>;

const RANGE = 0x1_0000_0000;

/**
 * Requests shared out over upstreams by weight. With `sticky` the value of a cookie or header decides,
 * the same in every worker and after a restart: it has a fixed place between 0 and 1, and the shares lie
 * side by side in the order of the file. So when a share grows, clients move to it and only few others.
 * A request without the value is drawn.
 */
export class Split {
  readonly #upstreams: readonly string[];
  /** The end of each share, of `#total`. */
  readonly #ends: readonly number[];
  readonly #total: number;
  readonly #sticky: SplitSettings["sticky"];
  readonly #rng: Rng;

  constructor(settings: SplitSettings, rng: Rng) {
    const targets = settings.targets.filter((target) => target.weight > 0);
    if (targets.length === 0) throw new TypeError("a split needs a weight above 0");
    let end = 0;
    this.#upstreams = targets.map((target) => target.upstream);
    this.#ends = targets.map((target) => (end += target.weight));
    this.#total = end;
    this.#sticky = settings.sticky;
    this.#rng = rng;
  }

  /** The name of an upstream. */
  pick(session: Session): string {
    const key = this.#key(session);
    if (key === undefined) return this.#at(below(this.#rng, this.#total));
    return this.#at(Math.floor((hashText(key) / RANGE) * this.#total));
  }

  #key(session: Session): string | undefined {
    if (this.#sticky === null) return undefined;
    return this.#sticky.kind === "cookie"
      ? session.cookie(this.#sticky.name)
      : session.request.headers.get(this.#sticky.name);
  }

  #at(point: number): string {
    let i = 0;
    while (point >= this.#ends[i]!) i++;
    return this.#upstreams[i]!;
  }
}
