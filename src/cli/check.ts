import { dirname } from "node:path";
import { formatProblems } from "../config/problem.ts";
import { readDescriptors } from "./descriptor-sets.ts";
import { ExitCode } from "./exit-code.ts";
import { loadFile, UnreadableFile } from "./load-file.ts";
import { checkFiles } from "./tls/material.ts";
import { withAbsolutePaths } from "./tls/paths.ts";

/** `millrace check FILE`: prints every problem; the exit code says whether there was an error. */
export async function check(file: string): Promise<number> {
  try {
    const result = await loadFile(file);
    const problems = result.ok ? result.warnings : result.problems;
    if (problems.length > 0) process.stderr.write(`${formatProblems(problems)}\n`);
    if (!result.ok) return ExitCode.usage;
    const config = withAbsolutePaths(result.config, dirname(file));
    const read = [checkFiles(config, Date.now()), readDescriptors(config, dirname(file))];
    const wrong = read.flatMap((files) => files.problems);
    for (const problem of wrong) process.stderr.write(`${file}  ${problem}\n`);
    for (const warning of read.flatMap((files) => files.warnings)) {
      process.stderr.write(`${file}  warning: ${warning}\n`);
    }
    if (wrong.length > 0) return ExitCode.usage;
    const { listeners, upstreams } = config;
    const found = `${amount(listeners.length, "listener")}, ${amount(upstreams.length, "upstream")}`;
    process.stdout.write(`${file}: good (${found})\n`);
    return ExitCode.ok;
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    process.stderr.write(`millrace: ${error.message}\n`);
    return ExitCode.usage;
  }
}

const amount = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;
