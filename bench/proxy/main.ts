/** `npm run bench:proxy`: Millrace beside nginx, HAProxy and http-proxy-3. See ../README.md. */
import { runProgram } from "../harness/command-line.ts";
import { parseOptions, usage } from "./options.ts";
import { runBenchmark } from "./run.ts";

await runProgram(usage, (args, interrupted) => runBenchmark(parseOptions(args), interrupted));
