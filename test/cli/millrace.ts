import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningProcess, startProcess } from "../support/processes.ts";

const bin = join(import.meta.dirname, "..", "..", "bin", "millrace.mjs");

/** Starts `millrace` and waits until it says that it serves. */
export function startMillrace(...args: readonly string[]): Promise<RunningProcess> {
  return startProcess({
    command: process.execPath,
    args: [bin, ...args],
    ready: { output: /Ctrl-C stops it/ },
    timeoutMs: 20_000,
  });
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `millrace` to its end. */
export async function runMillrace(...args: readonly string[]): Promise<Finished> {
  const running = await startProcess({ command: process.execPath, args: [bin, ...args] });
  const { code } = await running.exited;
  return { code, stdout: running.stdout, stderr: running.stderr };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Ask {
  readonly port?: number;
  readonly socketPath?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request on a connection of its own. Rejects when the connection fails before the answer's end. */
export function ask(options: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", agent: false, ...options }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode!, headers: response.headers, body }),
      );
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** The address that the banner names for a kind of line: "listener", "admin". */
export function portOf(running: RunningProcess, kind: "listener" | "admin" | "demo"): number {
  const line = new RegExp(`^ {2}${kind} +http://[^/]*:(\\d+)/`, "m").exec(running.stderr);
  if (line === null) throw new Error(`no ${kind} in:\n${running.stderr}`);
  return Number(line[1]);
}

/** Calls until it returns true; throws when the time is over. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A folder that goes when the test ends, with files in it. */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "millrace-test-"));

  /** Writes a file and returns its path. */
  write(name: string, text: string): string {
    const path = join(this.path, name);
    writeFileSync(path, text);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Listens on a free port of 127.0.0.1; returns the port. */
export function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
}
