import { formatSocketAddress } from "../../../core/address.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Candidates } from "./balancer.ts";
import { hashText } from "./hash.ts";

/** Points of an endpoint for each unit of its weight, as in ketama. */
const POINTS = 160;
/** Points of a ring, more or less: 8 bytes each, and a bisection of 18 steps. */
const MAX_POINTS = 1 << 18;

/**
 * The ring of ketama: every endpoint owns 160 points a unit of weight on a circle of 32 bits, and a
 * hash belongs to the owner of the first point at or after it. An endpoint's points follow from its
 * name and address alone, so they stay where they are when others come and go: only the arcs of the
 * one that left find new owners, or those that the new one takes.
 *
 * Weights that would make more than 2^18 points get 80, 40, 20, … points a unit, whose places are among
 * those of the finer rings; the step from one to the other moves keys, but is taken rarely.
 */
export class HashRing {
  readonly #endpoints: readonly Endpoint[];
  readonly #points: Uint32Array;
  /** The index of the endpoint that owns each point. */
  readonly #owners: Uint32Array;

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints;
    const perUnit = pointsPerUnit(endpoints);
    const size = endpoints.reduce((sum, { weight }) => sum + pointsOf(weight, perUnit), 0);
    // The point and its owner in one number, so that a plain numeric sort orders both (52 bits).
    const packed = new Float64Array(size);
    let at = 0;
    for (let owner = 0; owner < endpoints.length; owner++) {
      const { name, address, weight } = endpoints[owner]!;
      const label = `${name} ${formatSocketAddress(address)} `;
      for (let i = pointsOf(weight, perUnit); i > 0; i--) {
        packed[at++] = hashText(label + i) * OWNERS + owner;
      }
    }
    packed.sort();
    this.#points = Uint32Array.from(packed, (value) => Math.floor(value / OWNERS));
    this.#owners = Uint32Array.from(packed, (value) => value % OWNERS);
  }

  get size(): number {
    return this.#points.length;
  }

  /** The owner of `hash`, or the next one along the ring that is accepted; null when none is. */
  find(hash: number, candidates: Candidates): Endpoint | null {
    const size = this.#points.length;
    if (size === 0) return null;
    const first = this.#firstFrom(hash);
    const owner = this.#endpoints[this.#owners[first]!]!;
    if (candidates.accepts(owner)) return owner;
    if (!this.#anyAccepted(candidates)) return null;
    for (let i = 1; i < size; i++) {
      const at = first + i < size ? first + i : first + i - size;
      const next = this.#endpoints[this.#owners[at]!]!;
      if (next !== owner && candidates.accepts(next)) return next;
    }
    return null;
  }

  /** The index of the first point at or after `hash`, around the end to 0. */
  #firstFrom(hash: number): number {
    const points = this.#points;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (points[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    return low === points.length ? 0 : low;
  }

  /** Spares a walk around the whole ring for nothing. */
  #anyAccepted(candidates: Candidates): boolean {
    for (let i = 0; i < this.#endpoints.length; i++) {
      if (candidates.accepts(this.#endpoints[i]!)) return true;
    }
    return false;
  }
}

/** More endpoints than an upstream can have: the factor that packs a point and its owner. */
const OWNERS = 1 << 20;

function pointsPerUnit(endpoints: readonly Endpoint[]): number {
  const units = endpoints.reduce((sum, { weight }) => sum + weight, 0);
  let perUnit = POINTS;
  while (perUnit * units > MAX_POINTS) perUnit /= 2;
  return perUnit;
}

/** At least one, so that nobody is left out. */
const pointsOf = (weight: number, perUnit: number): number =>
  Math.max(1, Math.floor(weight * perUnit));
