import { readdirSync, readFileSync } from "node:fs";

/** CPU time of all threads of a process, in microseconds: the scheduler's own (proc(5), schedstat). */
export function cpuMicros(pid: number): number {
  let nanoseconds = 0;
  for (const thread of threadsOf(pid)) {
    try {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8");
      nanoseconds += Number(text.split(" ")[0]);
    } catch {
      // The thread has just ended.
    }
  }
  return nanoseconds / 1_000;
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}
