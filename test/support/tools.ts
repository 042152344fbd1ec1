import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Set to 1 where a missing program is a failure and not a reason to skip (as .ci/run does). */
export const requireAll = process.env.MILLRACE_REQUIRE_ALL === "1";

/** What a test function receives from vitest, as far as skipping goes. */
export interface SkippableContext {
  skip(note?: string): never;
}

/** Debian puts servers into sbin, which is not on the PATH of every user. */
const systemFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The absolute path of a program on the PATH or in the system's sbin folders, else null. */
export function findTool(name: string): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter).concat(systemFolders);
  for (const folder of folders) {
    if (folder === "") continue;
    const candidate = join(folder, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder: look into the next.
    }
  }
  return null;
}

/**
 * The path of a program that the running test needs. Without it the test is skipped with a
 * note, or fails under MILLRACE_REQUIRE_ALL=1.
 */
export function requireTool(name: string, context: SkippableContext): string {
  const path = findTool(name);
  if (path !== null) return path;
  if (requireAll) throw new Error(missing([name]));
  return context.skip(missing([name]));
}

/**
 * Whether all programs are there, for `describe.skipIf(!haveTools("nginx"))`. Says on stderr
 * what is missing; throws under MILLRACE_REQUIRE_ALL=1, which fails the test file.
 */
export function haveTools(...names: readonly string[]): boolean {
  const absent = names.filter((name) => findTool(name) === null);
  if (absent.length === 0) return true;
  if (requireAll) throw new Error(missing(absent));
  process.stderr.write(`${missing(absent)}; the tests that need it are skipped\n`);
  return false;
}

function missing(names: readonly string[]): string {
  return `not installed: ${names.join(", ")}`;
}
