import type { StackContext } from "../context.ts";
import { NeighborEviction } from "./neighbor-eviction.ts";
import { NeighborIndex } from "./neighbor-index.ts";
import { Reachability } from "./reachability.ts";

/** What the neighbours of one family on one interface share. */
export class NeighborFamily {
  readonly index: NeighborIndex;
  readonly eviction: NeighborEviction;
  readonly reachability: Reachability;

  constructor(context: StackContext) {
    this.index = new NeighborIndex(context.rng.u32() | 0);
    this.eviction = new NeighborEviction(context.limits.neighbors);
    this.reachability = new Reachability(context.rng, context.now());
  }
}
