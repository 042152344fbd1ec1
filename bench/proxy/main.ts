/** `npm run bench:proxy`: Millrace beside nginx, HAProxy and http-proxy-3. See ../README.md. */
import { parseOptions, UsageError, usage } from "./options.ts";
import { runBenchmark } from "./run.ts";

try {
  await runBenchmark(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n${usage}`);
    process.exitCode = 2;
  } else {
    throw error;
  }
}
