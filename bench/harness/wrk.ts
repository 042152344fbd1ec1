import { runLoadProgram } from "./load-program.ts";

export interface WrkLoad {
  readonly path: string;
  readonly connections: number;
  /** Without a look at the certificate; where connections are closed, it resumes sessions. */
  readonly tls?: boolean;
  readonly headers?: readonly string[];
  /** The path of a Lua script. */
  readonly script?: string;
  /** Bytes of body that the script sends with each request. */
  readonly requestBody?: number;
}

export interface WrkResult {
  readonly requests: number;
  readonly seconds: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Bytes received, heads included. */
  readonly bytes: number;
  /** Responses other than 2xx and 3xx, and failed connects, reads, writes and timeouts. */
  readonly errors: number;
}

/** Runs wrk with one thread against 127.0.0.1. `clientCpu`: CPU time of wrk, in microseconds. */
export async function runWrk(
  launcher: readonly string[],
  port: number,
  load: WrkLoad,
  seconds: number,
): Promise<WrkResult & { readonly clientCpu: number }> {
  const args = ["-t1", `-c${load.connections}`, `-d${seconds}s`, "--latency", "--timeout", "10s"];
  for (const header of load.headers ?? []) args.push("-H", header);
  if (load.script !== undefined) args.push("-s", load.script);
  args.push(`${load.tls === true ? "https" : "http"}://127.0.0.1:${port}${load.path}`);
  const { output, clientCpu } = await runLoadProgram(launcher, "wrk", args, seconds);
  return { ...parseWrk(output), clientCpu };
}

export function parseWrk(text: string): WrkResult {
  const total = /(\d+) requests in ([\d.]+)(us|ms|s|m), ([\d.]+)([KMGT]?)B read/.exec(text);
  if (total === null) throw new Error(`not wrk's report: ${text}`);
  const failures = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(
    text,
  );
  const statuses = /Non-2xx or 3xx responses: (\d+)/.exec(text);
  let errors = Number(statuses?.[1] ?? 0);
  for (const count of failures?.slice(1) ?? []) errors += Number(count);
  return {
    requests: Number(total[1]),
    seconds: microseconds(total[2]!, total[3]!) / 1e6,
    p50: percentile(text, 50),
    p99: percentile(text, 99),
    bytes: Number(total[4]) * 1_024 ** " KMGT".indexOf(total[5] || " "),
    errors,
  };
}

function percentile(text: string, percent: number): number {
  const match = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)`, "m").exec(text);
  return match === null ? Number.NaN : microseconds(match[1]!, match[2]!);
}

function microseconds(value: string, unit: string): number {
  const scale = { us: 1, ms: 1e3, s: 1e6, m: 60e6 }[unit] ?? Number.NaN;
  return Number(value) * scale;
}
