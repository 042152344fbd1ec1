/** `npm run bench:netstack`: the stack over TAP beside slirp4netns, and in memory. See README.md. */
import { runProgram } from "../harness/command-line.ts";
import { parseOptions, usage } from "./options.ts";
import { runBenchmark } from "./run.ts";

await runProgram(usage, (args, interrupted) => runBenchmark(parseOptions(args), interrupted));
