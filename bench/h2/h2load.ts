import { runLoadProgram } from "../harness/load-program.ts";

export interface H2Load {
  readonly path: string;
  readonly connections: number;
  /** Requests under way on each connection. */
  readonly streams: number;
  /** Unary calls of gRPC. */
  readonly grpc?: boolean;
}

export interface H2LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Bytes received, frames' headers included. */
  readonly bytes: number;
  /** Failed, errored or timed out, and responses other than 2xx and 3xx. */
  readonly errors: number;
  /** Microseconds from a request to its response's end. */
  readonly meanTime: number;
}

/**
 * Runs h2load with one thread against 127.0.0.1, in plain by prior knowledge. `message`: a file that is
 * posted as a call of gRPC.
 */
export async function runH2load(
  launcher: readonly string[],
  port: number,
  load: H2Load,
  seconds: number,
  message: string | null = null,
): Promise<H2LoadResult> {
  const args = ["-t1", `-c${load.connections}`, `-m${load.streams}`, `--duration=${seconds}`];
  if (message !== null) {
    args.push("-d", message, "-H", "content-type: application/grpc", "-H", "te: trailers");
  }
  args.push(`http://127.0.0.1:${port}${load.path}`);
  const { output } = await runLoadProgram(launcher, "h2load", args, seconds);
  return parseH2load(output);
}

export function parseH2load(text: string): H2LoadResult {
  const total = /finished in ([\d.]+)(us|ms|s|m), /.exec(text);
  const counts = /(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(text);
  const statuses = /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(text);
  const traffic = /traffic: .*?\((\d+)\) total/.exec(text);
  const time = /time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)/.exec(text);
  if (total === null || counts === null || statuses === null || traffic === null) {
    throw new Error(`not h2load's report: ${text}`);
  }
  // Those that the end of the run cut off count as neither.
  const errors = Number(counts[2]) + Number(statuses[3]) + Number(statuses[4]);
  return {
    requests: Number(counts[1]),
    seconds: microseconds(total[1]!, total[2]!) / 1e6,
    bytes: Number(traffic[1]),
    errors,
    meanTime: time === null ? Number.NaN : microseconds(time[1]!, time[2]!),
  };
}

function microseconds(value: string, unit: string): number {
  const scale = { us: 1, ms: 1e3, s: 1e6, m: 60e6 }[unit] ?? Number.NaN;
  return Number(value) * scale;
}
