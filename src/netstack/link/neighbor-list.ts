import type { Neighbor } from "./neighbor.ts";

/** Neighbours in order, linked through themselves: the one that goes first is at the head. */
export class NeighborList {
  oldest: Neighbor | null = null;
  newest: Neighbor | null = null;
  size = 0;

  push(neighbor: Neighbor): void {
    neighbor.list = this;
    neighbor.newer = null;
    neighbor.older = this.newest;
    if (this.newest === null) this.oldest = neighbor;
    else this.newest.newer = neighbor;
    this.newest = neighbor;
    this.size++;
  }

  remove(neighbor: Neighbor): void {
    const { older, newer } = neighbor;
    if (older === null) this.oldest = newer;
    else older.newer = newer;
    if (newer === null) this.newest = older;
    else newer.older = older;
    neighbor.list = null;
    neighbor.older = null;
    neighbor.newer = null;
    this.size--;
  }
}
