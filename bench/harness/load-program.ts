import { startProcess } from "../../test/support/processes.ts";
import { findTool } from "../../test/support/tools.ts";

export interface LoadRun {
  /** What all copies printed. */
  readonly output: string;
  /** From the start of the first to the end of the last. */
  readonly seconds: number;
  /** CPU time of all copies, in microseconds. */
  readonly clientCpu: number;
}

/** Runs copies of a command, fails if one of them does, and tells what CPU time they took. */
const script = `
copies=$1; shift; all=
while [ "$copies" -gt 0 ]; do "$@" & all="$all $!"; copies=$((copies - 1)); done
status=0; for one in $all; do wait "$one" || status=1; done
times; exit $status`;

/** Runs a program that makes load for so many seconds, in one copy or several at once. */
export async function runLoadProgram(
  launcher: readonly string[],
  tool: string,
  args: readonly string[],
  seconds: number,
  copies = 1,
): Promise<LoadRun> {
  const shell = ["/bin/sh", "-c", script, "sh", String(copies), findTool(tool)!, ...args];
  const [command, ...rest] = [...launcher, ...shell];
  const begin = performance.now();
  await using running = await startProcess({ command: command!, args: rest });
  const timer = setTimeout(() => running.signalGroup("SIGKILL"), (seconds + 30) * 1_000);
  const { code } = await running.exited;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${tool} failed: ${running.stdout}${running.stderr}`);
  const took = (performance.now() - begin) / 1e3;
  return { output: running.stdout, seconds: took, clientCpu: childrensCpu(running.stdout) };
}

/** The second line of the shell's `times` is that of its children: "0m1.23s 0m0.45s". */
function childrensCpu(output: string): number {
  const line = [...output.matchAll(/^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/gm)].at(-1);
  if (line === undefined) throw new Error(`no times in: ${output}`);
  const [userMinutes, userSeconds, systemMinutes, systemSeconds] = line.slice(1).map(Number);
  return ((userMinutes! + systemMinutes!) * 60 + userSeconds! + systemSeconds!) * 1e6;
}
