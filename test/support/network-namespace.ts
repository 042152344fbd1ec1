import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { requireAll } from "./tools.ts";

const run = promisify(execFile);

/**
 * Whether this process may make network namespaces, for `describe.skipIf(!(await haveNamespaces()))`.
 * Says on stderr what is missing; throws under MILLRACE_REQUIRE_ALL=1.
 */
export async function haveNamespaces(): Promise<boolean> {
  try {
    await run("unshare", ["-n", "true"], { timeout: 10_000 });
    return true;
  } catch {
    const missing = "needs root and network namespaces (unshare -n)";
    if (requireAll) throw new Error(missing);
    process.stderr.write(`${missing}; the tests that need it are skipped\n`);
    return false;
  }
}

/**
 * Runs a module in a process with a network namespace of its own, which goes when it ends: interfaces
 * that it makes are gone, too. What it says with `say(value)` comes back, as JSON carries it. `sh` runs
 * a command line there; arguments are `process.argv.slice(1)`.
 */
export async function runInNamespace(
  script: string,
  ...args: readonly string[]
): Promise<unknown[]> {
  const node = [process.execPath, "--input-type=module", "-e", PRELUDE + script, ...args];
  const { stdout } = await run("unshare", ["-n", ...node], { timeout: 25_000 });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
}

const PRELUDE = `
  const { execFileSync } = await import("node:child_process");
  const say = (value) => console.log(JSON.stringify(value));
  const sh = (line) => execFileSync("sh", ["-c", line], { encoding: "utf8", stdio: "pipe" });
  const pause = (millis) => new Promise((done) => setTimeout(done, millis));
`;
