import type { ReportHeader } from "../harness/report.ts";
import type { Spread } from "../harness/statistics.ts";
import type { Direction, FlowResult } from "./tap/contestant.ts";

export interface NamedFlow extends FlowResult {
  readonly name: string;
  readonly describes: string;
  readonly direction: Direction;
}

export interface Ratio {
  readonly direction: Direction;
  readonly ours: string;
  readonly theirs: string;
  /** The least that it shall be; null: no aim. */
  readonly target: number | null;
  readonly ratio: Spread;
}

export interface FlowOutcome {
  readonly flows: readonly NamedFlow[];
  readonly ratios: readonly Ratio[];
}

/** One figure of two stacks in memory, in one round. */
export interface MemoryFigure {
  readonly name: string;
  readonly describes: string;
  /** Of one second of the thread's CPU time. */
  readonly unit: "Gbit/s" | "packets/s" | "connections/s";
  readonly perSecond: number;
  /** All frames of both directions. */
  readonly cpuPerPacketMicros: number;
}

export interface MemoryResult extends Omit<MemoryFigure, "perSecond" | "cpuPerPacketMicros"> {
  readonly perSecond: Spread;
  readonly cpuPerPacketMicros: Spread;
  /** Shares of the CPU time, by sampling, of what the files of each layer took themselves. */
  readonly layers: Readonly<Record<string, number>>;
}

/** Bytes of heap that a connection at rest holds. */
export interface IdleMemory {
  readonly connections: number;
  readonly client: number;
  readonly server: number;
  /** Under which each shall be. */
  readonly target: number;
}

export interface Report extends ReportHeader {
  readonly millis: number;
  readonly tap: FlowOutcome | null;
  readonly memory: readonly MemoryResult[] | null;
  readonly idle: IdleMemory | null;
}
