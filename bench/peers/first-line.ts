import { execFile } from "node:child_process";

/** The first line that a program prints, on stdout or stderr. For `--version` and the like. */
export function firstLine(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 10_000 }, (_error, stdout, stderr) => {
      resolve(`${stdout}\n${stderr}`.trim().split("\n")[0] ?? "");
    });
  });
}
