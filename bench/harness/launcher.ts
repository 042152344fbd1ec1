import { findTool } from "../../test/support/tools.ts";

/** Raises the limit on descriptors as far as allowed, then becomes the program: same process id. */
const raiseLimit = [
  "/bin/sh",
  "-c",
  'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$@"',
  "sh",
];

/** What to put before a command so that it runs on the given cores only ("0", "0,1"). */
export function pinned(cores: string): readonly string[] {
  const taskset = findTool("taskset");
  return taskset === null ? raiseLimit : [...raiseLimit, taskset, "-c", cores];
}
