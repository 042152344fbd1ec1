import { execFile } from "node:child_process";
import type { RunningProcess } from "../support/processes.ts";

/** The port that the banner names for a listener that speaks TLS. */
export function tlsPortOf(running: RunningProcess): number {
  const line = /^ {2}listener +https:\/\/[^/]*:(\d+)\//m.exec(running.stderr);
  if (line === null) throw new Error(`no https listener in:\n${running.stderr}`);
  return Number(line[1]);
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with `input` on its standard input. */
export function run(command: string, args: readonly string[], input = ""): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { timeout: 15_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

/** Quietly, with its errors, and not for ever. */
export const curl = (...args: readonly string[]): Promise<Ran> =>
  run("curl", ["-sS", "--noproxy", "*", "--max-time", "10", ...args]);

/** `openssl s_client` that asks for "/" in HTTP/1.1 and reads until the server closes. */
export const sClient = (port: number, ...args: readonly string[]): Promise<Ran> =>
  run(
    "openssl",
    ["s_client", "-connect", `127.0.0.1:${port}`, "-ign_eof", ...args],
    "GET /hello HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n",
  );
