/** `npm run bench:netstack`: the stack over TAP beside slirp4netns, and in memory. See README.md. */
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
