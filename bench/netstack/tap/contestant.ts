import type { Spread } from "../../harness/statistics.ts";

export type Direction = "to" | "from";

/** One measurement of one flow. */
export interface FlowTurn {
  readonly gigabitsPerSecond: number;
  /** CPU microseconds of the process between the kernels' ends, per 64 KiB. */
  readonly cpuPer64KiB: number;
}

export interface FlowResult {
  readonly gigabitsPerSecond: Spread;
  readonly cpuPer64KiB: Spread;
  readonly turns: readonly FlowTurn[];
}

/** Something that a flow of the kernel's goes through, up and ready. */
export interface Contestant {
  readonly name: string;
  readonly describes: string;
  /** `to`: the kernel sends to it; `from`: the kernel receives from it. */
  readonly directions: readonly Direction[];
  turn(direction: Direction, millis: number): Promise<FlowTurn>;
}

/** Sets one up; what it needs is in `resources` as soon as it is there, and ends with them. */
export type Starter = (resources: AsyncDisposableStack) => Promise<Contestant>;
