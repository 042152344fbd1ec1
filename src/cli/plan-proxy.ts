import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import { describeConfig } from "../config/describe.ts";
import type { EffectiveConfig } from "../config/effective.ts";
import { configFromFlags } from "../config/flags.ts";
import { formatProblems, type LoadResult } from "../config/problem.ts";
import { formatSocketAddress } from "../core/address.ts";
import { Ip } from "../netstack/ip-address.ts";
import { Prefix } from "../netstack/prefix.ts";
import { ExitCode } from "./exit-code.ts";
import { isModule, loadFile, UnreadableFile } from "./load-file.ts";
import type { Plan } from "./plan.ts";
import { BadStackSpec, parseStackSpec, type StackSpec } from "./stack-spec.ts";
import { chooseDriver, DriverUnavailable } from "./transport-choice.ts";

/** The arguments of `millrace proxy`, as text. */
export interface ProxyArguments {
  readonly file?: string | undefined;
  readonly listen: readonly string[];
  readonly to: readonly string[];
  readonly cert: readonly string[];
  readonly key: readonly string[];
  readonly workers?: string | undefined;
  readonly admin?: string | undefined;
  readonly driver?: string | undefined;
  readonly accessLog?: string | undefined;
  /** As `parseStackSpec` reads it. */
  readonly stack?: string | undefined;
}

/** Loads and checks all that `millrace proxy` was given; prints what is wrong. Binds nothing. */
export async function planProxy(args: ProxyArguments): Promise<Plan> {
  try {
    const config = await withDescriptors(await withTlsFiles(await configure(args), args), args);
    const stack =
      args.stack === undefined ? null : checkedStack(parseStackSpec(args.stack), config, args);
    const { driver, fallback } = await chooseDriver(stack === null ? config.driver : "epoll");
    const asked = config.workers === "auto" ? availableParallelism() : config.workers;
    return {
      kind: "proxy",
      config,
      workers: stack === null ? asked : 1,
      driver: stack === null ? driver : "netstack",
      stack,
      driverFallback: fallback,
      module: args.file !== undefined && isModule(args.file) ? resolve(args.file) : null,
      file: args.file ?? null,
      description: JSON.stringify(describeConfig(config), null, 2),
    };
  } catch (error) {
    if (error instanceof DriverUnavailable) {
      if (args.stack !== undefined) return refuse(`--stack: ${error.message}`);
      return refuse(`--driver epoll: ${error.message}. Use --driver auto or node.`);
    }
    if (error instanceof BadStackSpec) return refuse(`--stack: ${error.message}`);
    if (!(error instanceof UsageError || error instanceof UnreadableFile)) throw error;
    return refuse(error.message);
  }
}

/** A stack is one host with one address: one worker serves it, on ports that are known. */
function checkedStack(
  stack: StackSpec,
  config: EffectiveConfig,
  { driver }: ProxyArguments,
): StackSpec {
  if (driver !== undefined && driver !== "auto") {
    throw new UsageError(`--stack does network I/O itself, without --driver ${driver}`);
  }
  if (config.workers !== "auto" && config.workers > 1) {
    throw new UsageError(`--stack is served by one worker, not by ${config.workers}`);
  }
  if (config.demo) {
    throw new UsageError(
      "the demo origin listens on the kernel's loopback, which --stack cannot reach; name an upstream",
    );
  }
  for (const address of config.listeners.flatMap((listener) => listener.addresses)) {
    if (address.kind === "unix" || address.port === 0) {
      throw new UsageError(
        `--stack listens on IP addresses and ports of its own, not on ${formatSocketAddress(address)}`,
      );
    }
    const ip = Ip.parse(address.ip);
    const own = stack.addresses.map((text) => Prefix.parse(text)!.ip);
    const near = own.find(({ version }) => version === ip?.version) ?? own[0];
    const suggested = near === undefined ? `*:${address.port}` : listenFlag(near, address.port);
    if (ip?.isLoopback === true) {
      throw new UsageError(
        `${formatSocketAddress(address)} is the loopback of the stack itself, which nobody else reaches; say --listen ${suggested}`,
      );
    }
    // DHCP gives others, and routers give IPv6 ones: those are known when the stack runs.
    const known = ip?.version === 4 && !stack.dhcp && !ip.isUnspecified;
    if (known && !own.some((ours) => ours.equals(ip))) {
      throw new UsageError(
        `--stack has no ${ip}, to listen on ${formatSocketAddress(address)}; it has ${own.join(", ")}; say --listen ${suggested}`,
      );
    }
  }
  return stack;
}

const listenFlag = (ip: Ip, port: number): string =>
  ip.version === 6 ? `[${ip}]:${port}` : `${ip}:${port}`;

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
  const forFlags = (["listen", "to", "cert", "key"] as const).filter((f) => args[f].length > 0);
  if (forFlags.length > 0) {
    throw new UsageError(
      `--${forFlags[0]} is for use without a file; ${file} says where to listen and to forward, and how`,
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

/** The configuration with absolute paths of TLS files that were found good. Throws UsageError. */
async function withTlsFiles(
  config: EffectiveConfig,
  { file }: ProxyArguments,
): Promise<EffectiveConfig> {
  const { checkFiles, usesTls } = await import("./tls/material.ts");
  if (!usesTls(config)) return config;
  const { withAbsolutePaths } = await import("./tls/paths.ts");
  const absolute = withAbsolutePaths(config, file === undefined ? "." : dirname(file));
  const { problems, warnings } = checkFiles(absolute, Date.now());
  if (problems.length > 0) throw new UsageError(`nothing was started\n${problems.join("\n")}`);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  return absolute;
}

/** The configuration with the descriptor sets of its routes, read and found good. */
async function withDescriptors(
  config: EffectiveConfig,
  { file }: ProxyArguments,
): Promise<EffectiveConfig> {
  if (config.listeners.every(({ routes }) => routes?.every((route) => !route.transcode) ?? true)) {
    return config;
  }
  const { readDescriptors } = await import("./descriptor-sets.ts");
  const read = readDescriptors(config, file === undefined ? "." : dirname(file));
  if (read.problems.length > 0) {
    throw new UsageError(`nothing was started\n${read.problems.join("\n")}`);
  }
  for (const warning of read.warnings) process.stderr.write(`warning: ${warning}\n`);
  return read.config;
}

/** A file's configuration with what the flags say differently; they are checked as on their own. */
function overridden(config: EffectiveConfig, args: ProxyArguments): EffectiveConfig {
  const { workers, admin, driver } = args;
  const flags = accepted(
    configFromFlags({ listen: [], to: ["127.0.0.1:1"], cert: [], key: [], workers, admin, driver }),
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
