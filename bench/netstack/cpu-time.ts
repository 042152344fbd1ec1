import { readdirSync, readFileSync } from "node:fs";

/** CPU time of all threads of a process, in microseconds: the scheduler's own (proc(5), schedstat). */
export function cpuMicros(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8");
    nanoseconds += Number(text.split(" ")[0]);
  }
  return nanoseconds / 1_000;
}
