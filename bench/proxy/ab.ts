/** For development: nginx and Millrace at 64 keep-alive connections, in some 20 seconds. */
import { runProgram } from "../harness/command-line.ts";
import { parseOptions, usage } from "./options.ts";
import { runBenchmark } from "./run.ts";

const preset = ["--peers=nginx,millrace", "--only=keepalive-64", "--rounds=3", "--seconds=2"];

await runProgram(usage, (args, interrupted) =>
  runBenchmark(parseOptions([...preset, ...args]), interrupted),
);
