import { readdirSync, readFileSync } from "node:fs";
import { cpuMicros } from "./cpu-time.ts";

/** CPU time that a group of processes has taken, in microseconds. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** Memory of a group of processes, in bytes. */
export interface Memory {
  /** Counts a page once for each process of the group that maps it. */
  readonly rss: number;
  /**
   * Counts pages that the group's processes share once: what is private to each, and the most that
   * any of them shares. Unlike PSS it does not fall when strangers map the same binary, as every
   * other Node on the machine does.
   */
  readonly resident: number;
  readonly processes: number;
}

/**
 * CPU time of all threads of all processes in a group. The scheduler's own nanoseconds
 * (`schedstat`) give the total; ticks in `stat`, 10 ms each, only say how it splits.
 */
export function cpuOfGroup(group: number): CpuTime {
  let total = 0;
  let userTicks = 0;
  let systemTicks = 0;
  for (const pid of processesOfGroup(group)) {
    const fields = statFields(pid);
    if (fields === null) continue;
    userTicks += Number(fields[11]); // utime, field 14 of proc(5)
    systemTicks += Number(fields[12]); // stime, 15
    total += cpuMicros(pid);
  }
  const userShare = userTicks / Math.max(1, userTicks + systemTicks);
  return { user: total * userShare, system: total * (1 - userShare) };
}

export function memoryOfGroup(group: number): Memory {
  let rss = 0;
  let ofOneAlone = 0;
  let mostShared = 0;
  let processes = 0;
  for (const pid of processesOfGroup(group)) {
    const rollup = readOrNull(`/proc/${pid}/smaps_rollup`);
    if (rollup === null) continue;
    processes++;
    const mapped = kilobytes(rollup, "Rss") * 1_024;
    const alone = (kilobytes(rollup, "Private_Clean") + kilobytes(rollup, "Private_Dirty")) * 1_024;
    rss += mapped;
    ofOneAlone += alone;
    mostShared = Math.max(mostShared, mapped - alone);
  }
  return { rss, resident: ofOneAlone + mostShared, processes };
}

/** The processes whose process group is this one: what one start of a proxy has spawned. */
function processesOfGroup(group: number): number[] {
  const pids: number[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    if (Number(statFields(pid)?.[2]) === group) pids.push(pid); // pgrp, field 5
  }
  return pids;
}

/** The fields of /proc/PID/stat after the name, which may itself hold spaces: [0] is the state. */
function statFields(pid: number): string[] | null {
  const text = readOrNull(`/proc/${pid}/stat`);
  return text === null ? null : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function kilobytes(rollup: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1] ?? 0);
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
