import type { MemoryFigure } from "../results.ts";

/** Something that two stacks do, for as long as they are asked to. */
export interface Work {
  /** Does some milliseconds of it, and returns how many of its units were done. */
  run(): number;
  /** Frames that went so far. */
  readonly frames: number;
}

export interface Scenario {
  readonly name: string;
  readonly describes: string;
  readonly unit: MemoryFigure["unit"];
  start(): Work;
}

/** Thread time, so that others on the machine do not count. */
export function measure(scenario: Scenario, work: Work, millis: number): MemoryFigure {
  const { name, describes, unit } = scenario;
  const frames = work.frames;
  const begin = process.threadCpuUsage();
  let done = 0;
  let micros = 0;
  while (micros < millis * 1_000) {
    done += work.run();
    const { user, system } = process.threadCpuUsage(begin);
    micros = user + system;
  }
  return {
    name,
    describes,
    unit,
    perSecond: done / (micros / 1e6),
    cpuPerPacketMicros: micros / Math.max(1, work.frames - frames),
  };
}
