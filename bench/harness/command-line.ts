import { type ParseArgsConfig, parseArgs } from "node:util";

/** What the user asked for cannot be: told without a stack trace, with status 2. */
export class UsageError extends Error {}

/**
 * A benchmark as a program; `--help` prints the usage. SIGINT and SIGTERM abort the signal that `run` is
 * given; how that ends is of no interest then, and the status is the one that shells give.
 */
export async function runProgram(
  usage: string,
  run: (args: readonly string[], interrupted: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes("--help")) return void process.stdout.write(usage);
  const interruption = new AbortController();
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(signal, () => {
      process.exitCode = status;
      interruption.abort();
    });
  }
  try {
    await run(args, interruption.signal);
  } catch (error) {
    if (interruption.signal.aborted) return;
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n${usage}`);
    process.exitCode = 2;
  }
}

type Flags = NonNullable<ParseArgsConfig["options"]>;

/** The values of `parseArgs`. Throws UsageError. */
export function parseFlags<const T extends Flags>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export function positive(flag: string, text: string | undefined, byDefault: number): number {
  const value = text === undefined ? byDefault : Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`${flag}: found "${text}", expected a positive integer`);
}

/** The named ones of `all`, in the order named. */
export function pick<T extends { readonly name: string }>(
  flag: string,
  names: string | undefined,
  all: readonly T[],
  byDefault: readonly T[],
): readonly T[] {
  if (names === undefined) return byDefault;
  return names.split(",").map((name) => {
    const found = all.find((item) => item.name === name);
    if (found !== undefined) return found;
    throw new UsageError(`${flag}: found "${name}", expected ${all.map((x) => x.name).join(", ")}`);
  });
}
