import { type LoadRun, runLoadProgram } from "../harness/load-program.ts";

/** Connections of TLS 1.3, each with one request: handshake, request, response, end. */
export interface HandshakeLoad {
  readonly path: string;
  /** Processes, each with one connection at a time. */
  readonly clients: number;
  /** Each client resumes its last session; otherwise every handshake is a full one. */
  readonly resume: boolean;
}

export interface HandshakeResult extends Omit<LoadRun, "output"> {
  readonly connections: number;
  readonly bytes: number;
}

/** Runs `openssl s_time` several times at once against 127.0.0.1. */
export async function runHandshakes(
  launcher: readonly string[],
  port: number,
  load: HandshakeLoad,
  seconds: number,
): Promise<HandshakeResult> {
  const args = [
    ...["s_time", "-connect", `127.0.0.1:${port}`, load.resume ? "-reuse" : "-new"],
    ...["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"],
    ...["-time", String(seconds), "-www", requestTarget(load.path)],
  ];
  const { output, ...run } = await runLoadProgram(launcher, "openssl", args, seconds, load.clients);
  return { ...parseHandshakes(output), ...run };
}

/** s_time writes `GET ${it} HTTP/1.0` and no field: what is meant to be said goes into the target. */
const requestTarget = (path: string): string =>
  [`${path} HTTP/1.1`, "Host: bench.test", "Connection: close", "X-Rest:"].join("\r\n");

/** What runs of s_time printed, added up. */
export function parseHandshakes(text: string): Pick<HandshakeResult, "connections" | "bytes"> {
  // "949 connections in 4 real seconds, 148 bytes read per connection"
  const counts = [...text.matchAll(/(\d+) connections in \d+ real seconds, (\d+) bytes read/g)];
  if (counts.length === 0) throw new Error(`not the report of s_time: ${text}`);
  return {
    connections: counts.reduce((sum, [, n]) => sum + Number(n), 0),
    bytes: counts.reduce((sum, [, n, each]) => sum + Number(n) * Number(each), 0),
  };
}
