import { fileURLToPath } from "node:url";
import { startProcess } from "../../test/support/processes.ts";

/** Connections of TLS 1.3, each with one request: handshake, request, response, end. */
export interface HandshakeLoad {
  readonly path: string;
  /** Each has one connection at a time. */
  readonly clients: number;
  /** Each handshake resumes a session; otherwise it is a full one. */
  readonly resume: boolean;
}

export interface HandshakeCounts {
  /** With a good answer. */
  readonly connections: number;
  readonly resumed: number;
  readonly errors: number;
  readonly bytes: number;
  readonly seconds: number;
  /** CPU time of the clients, in microseconds. */
  readonly clientCpu: number;
}

const program = fileURLToPath(new URL("handshake-client.ts", import.meta.url));

/**
 * Runs clients against 127.0.0.1, in one process on our own TLS. Its OpenSSL is newer than the
 * distribution's, so that it needs less CPU for a handshake than the proxies do.
 */
export async function runHandshakes(
  launcher: readonly string[],
  port: number,
  load: HandshakeLoad,
  seconds: number,
): Promise<HandshakeCounts> {
  const mode = load.resume ? "resume" : "full";
  const words = [port, load.path, load.clients, seconds, mode].map(String);
  const [command, ...args] = [...launcher, process.execPath, program, ...words];
  await using client = await startProcess({ command: command!, args });
  const timer = setTimeout(() => client.signalGroup("SIGKILL"), (seconds + 30) * 1_000);
  const { code } = await client.exited;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`the clients failed: ${client.stdout}${client.stderr}`);
  const counts: HandshakeCounts = JSON.parse(client.stdout);
  const wrong = load.resume
    ? counts.connections - counts.resumed > load.clients
    : counts.resumed > 0;
  if (wrong) throw new Error(`not ${mode} handshakes: ${client.stdout}`);
  return counts;
}
