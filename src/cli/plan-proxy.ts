import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { describeConfig } from "../config/describe.ts";
import type { EffectiveConfig } from "../config/effective.ts";
import { configFromFlags } from "../config/flags.ts";
import { formatProblems, type LoadResult } from "../config/problem.ts";
import { ExitCode } from "./exit-code.ts";
import { isModule, loadFile, UnreadableFile } from "./load-file.ts";
import type { Plan } from "./plan.ts";
import { chooseDriver, DriverUnavailable } from "./transport-choice.ts";

/** The arguments of `millrace proxy`, as text. */
export interface ProxyArguments {
  readonly file?: string | undefined;
  readonly listen: readonly string[];
  readonly to: readonly string[];
  readonly workers?: string | undefined;
  readonly admin?: string | undefined;
  readonly driver?: string | undefined;
  readonly accessLog?: string | undefined;
}

/** Loads and checks all that `millrace proxy` was given; prints what is wrong. Binds nothing. */
export async function planProxy(args: ProxyArguments): Promise<Plan> {
  try {
    const config = await configure(args);
    const { driver, fallback } = await chooseDriver(config.driver);
    return {
      kind: "proxy",
      config,
      workers: config.workers === "auto" ? availableParallelism() : config.workers,
      driver,
      driverFallback: fallback,
      module: args.file !== undefined && isModule(args.file) ? resolve(args.file) : null,
      file: args.file ?? null,
      description: JSON.stringify(describeConfig(config), null, 2),
    };
  } catch (error) {
    if (error instanceof DriverUnavailable) {
      return refuse(`--driver epoll: ${error.message}. Use --driver auto or node.`);
    }
    if (!(error instanceof UsageError || error instanceof UnreadableFile)) throw error;
    return refuse(error.message);
  }
}

class UsageError extends Error {
  override readonly name = "UsageError";
}

function refuse(message: string): Plan {
  process.stderr.write(`millrace: ${message}\n`);
  return { kind: "exit", code: ExitCode.usage };
}

async function configure(args: ProxyArguments): Promise<EffectiveConfig> {
  const { file } = args;
  if (file === undefined) return withLog(accepted(configFromFlags(args)), args);
  const forFlags = ["listen", "to"].filter((flag) => args[flag as "listen" | "to"].length > 0);
  if (forFlags.length > 0) {
    throw new UsageError(
      `--${forFlags[0]} is for use without a file; ${file} says where to listen and to forward`,
    );
  }
  return withLog(overridden(accepted(await loadFile(file)), args), args);
}

/** The configuration, its warnings printed; a UsageError with its problems otherwise. */
function accepted(result: LoadResult<EffectiveConfig>): EffectiveConfig {
  if (!result.ok) throw new UsageError(`nothing was started\n${formatProblems(result.problems)}`);
  if (result.warnings.length > 0) process.stderr.write(`${formatProblems(result.warnings)}\n`);
  return result.config;
}

/** A file's configuration with what the flags say differently; they are checked as on their own. */
function overridden(config: EffectiveConfig, args: ProxyArguments): EffectiveConfig {
  const { workers, admin, driver } = args;
  const flags = accepted(
    configFromFlags({ listen: [], to: ["127.0.0.1:1"], workers, admin, driver }),
  );
  return {
    ...config,
    ...(workers !== undefined && { workers: flags.workers }),
    ...(admin !== undefined && { admin: flags.admin }),
    ...(driver !== undefined && { driver: flags.driver }),
  };
}

function withLog(config: EffectiveConfig, { accessLog }: ProxyArguments): EffectiveConfig {
  if (accessLog === undefined) return config;
  const to = accessLog === "on" ? "stdout" : accessLog;
  const access = accessLog === "off" ? null : { sample: 1, to };
  return { ...config, log: { ...config.log, access } };
}
