import { type ChildProcessByStdio, spawn } from "node:child_process";
import { connect } from "node:net";
import type { Readable } from "node:stream";

/** How a program shows that it is ready. */
export type Readiness =
  | { readonly port: number; readonly host?: string }
  | { readonly path: string }
  | { readonly output: RegExp };

export interface ProcessOptions {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** Added to this process's own environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Without it the process counts as ready once it is spawned. */
  readonly ready?: Readiness;
  /** For becoming ready. Default 10,000. */
  readonly timeoutMs?: number;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Output is kept up to this length; what comes later is dropped. */
const outputLimit = 4 * 1024 * 1024;

const live = new Set<RunningProcess>();

/**
 * Starts a program in a process group of its own and waits until it is ready. Throws with its
 * output when it ends before that or takes too long.
 *
 *     await using nginx = await startProcess({ command, args, ready: { port } });
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const started = new RunningProcess(options);
  try {
    await started.becomeReady(options.ready, options.timeoutMs ?? 10_000);
  } catch (cause) {
    await started.stop("SIGKILL");
    const line = [options.command, ...(options.args ?? [])].join(" ");
    const output = `${started.stdout}${started.stderr}`;
    throw new Error(`did not start: ${line}\n${output}`, { cause });
  }
  return started;
}

/** Ends every process that was started here and still runs: for signal handlers and `finally`. */
export async function stopAllProcesses(): Promise<void> {
  await Promise.all([...live].map((running) => running.stop()));
}

process.on("exit", () => {
  for (const running of live) running.signalGroup("SIGKILL");
});

export class RunningProcess implements AsyncDisposable {
  readonly pid: number;
  /** Settles when the process has ended and its output is complete; never rejects. */
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #watchers = new Set<() => void>();
  #stdout = "";
  #stderr = "";
  #exit: ProcessExit | null = null;
  #failure: Error | null = null;

  constructor(options: ProcessOptions) {
    this.#child = spawn(options.command, options.args ?? [], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that one signal reaches its workers too, whatever became of it.
      detached: true,
    });
    this.pid = this.#child.pid ?? -1;
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (this.#stdout.length < outputLimit) this.#stdout += text;
      this.#notify();
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (this.#stderr.length < outputLimit) this.#stderr += text;
      this.#notify();
    });
    this.exited = new Promise((resolve) => {
      const finish = (exit: ProcessExit) => {
        this.#exit ??= exit;
        live.delete(this);
        resolve(this.#exit);
        this.#notify();
      };
      this.#child.once("error", (error) => {
        this.#failure = error;
        if (this.pid === -1) finish({ code: null, signal: null });
      });
      this.#child.once("close", (code, signal) => finish({ code, signal }));
    });
    if (this.pid !== -1) live.add(this);
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get running(): boolean {
    return this.#exit === null;
  }

  /** Sends a signal to the process alone, not to its children. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal);
  }

  /** Sends a signal to the process and everything in its group. */
  signalGroup(signal: NodeJS.Signals): void {
    if (this.pid === -1) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // The group is gone already.
    }
  }

  /** Asks by `signal`, waits for `graceMs`, then kills the whole group. */
  async stop(signal: NodeJS.Signals = "SIGTERM", graceMs = 5_000): Promise<ProcessExit> {
    this.signal(signal);
    const timer = setTimeout(() => this.signalGroup("SIGKILL"), graceMs);
    const exit = await this.exited;
    clearTimeout(timer);
    this.signalGroup("SIGKILL"); // Workers that outlived their parent.
    return exit;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop().then(() => undefined);
  }

  /** Waits until stdout or stderr, as collected so far, matches; throws on exit or timeout. */
  async waitForOutput(pattern: RegExp, timeoutMs = 10_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!pattern.test(this.#stdout) && !pattern.test(this.#stderr)) {
      this.#throwIfEnded();
      if (!(await this.#change(deadline - Date.now()))) {
        throw new Error(`no ${pattern} in the output within ${timeoutMs} ms`);
      }
    }
  }

  /** Waits for the sign of readiness; see {@link startProcess}. */
  async becomeReady(ready: Readiness | undefined, timeoutMs: number): Promise<void> {
    if (this.pid === -1) await this.exited;
    this.#throwIfEnded();
    if (ready === undefined) return;
    if ("output" in ready) return this.waitForOutput(ready.output, timeoutMs);
    const deadline = Date.now() + timeoutMs;
    while (!(await answers(ready))) {
      this.#throwIfEnded();
      if (Date.now() > deadline) throw new Error(`does not listen after ${timeoutMs} ms`);
      await this.#change(20);
    }
    // The port may have been answered by somebody else while this program failed to bind it.
    this.#throwIfEnded();
  }

  #throwIfEnded(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#exit === null) return;
    throw new Error(`ended with ${this.#exit.signal ?? `status ${this.#exit.code}`}`);
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** True when output arrived or the process ended within the time. */
  #change(withinMs: number): Promise<boolean> {
    if (withinMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (changed: boolean) => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        resolve(changed);
      };
      const watcher = () => settle(true);
      const timer = setTimeout(() => settle(false), withinMs);
      this.#watchers.add(watcher);
    });
  }
}

function answers(at: { port: number; host?: string } | { path: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect("path" in at ? at : { port: at.port, host: at.host ?? "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
