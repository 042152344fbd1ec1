/** `npm run bench:tls`: Millrace beside nginx and HAProxy, HTTPS to HTTP/1.1. See ../README.md. */
import { runProgram } from "../harness/command-line.ts";
import { parseOptions, usage } from "./options.ts";
import { runBenchmark } from "./run.ts";

await runProgram(usage, (args, interrupted) => runBenchmark(parseOptions(args), interrupted));
