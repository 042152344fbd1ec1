import { execFile } from "node:child_process";
import { type ProcessOptions, type RunningProcess, startProcess } from "../../support/processes.ts";

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Default: 20 seconds; then it is killed. */
  readonly timeoutMs?: number;
}

let made = 0;

/**
 * A network namespace with a name of its own and a loopback interface that is up. Disposing of it kills
 * what still runs in it; its interfaces go with it.
 */
export class Namespace implements AsyncDisposable {
  readonly name: string;
  readonly #started: RunningProcess[] = [];

  private constructor(name: string) {
    this.name = name;
  }

  static async make(): Promise<Namespace> {
    const namespace = new Namespace(`millrace-${process.pid}-${++made}`);
    await execute("ip", ["netns", "add", namespace.name], 10_000);
    try {
      await namespace.run("ip link set lo up");
    } catch (error) {
      await namespace[Symbol.asyncDispose]();
      throw error;
    }
    return namespace;
  }

  /** What a shell's command line writes there. Throws with all its output unless its status is 0. */
  async run(line: string, options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.try(line, options);
    if (code !== 0) throw new Error(`status ${code} of: ${line}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Likewise, but whatever the status. */
  try(line: string, { timeoutMs = 20_000 }: RunOptions = {}): Promise<Finished> {
    return execute("ip", ["netns", "exec", this.name, "sh", "-c", line], timeoutMs);
  }

  /** Tries until the status is 0. Throws with the last output after the time. */
  async eventually(line: string, timeoutMs = 8_000): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const { code, stdout, stderr } = await this.try(line);
      if (code === 0) return stdout;
      if (performance.now() > deadline) {
        throw new Error(`not within ${timeoutMs} ms: ${line}\n${stdout}${stderr}`);
      }
      await pause(50);
    }
  }

  /** A program that goes on in there. */
  async start(options: ProcessOptions): Promise<RunningProcess> {
    const { command, args = [] } = options;
    const running = await startProcess({
      ...options,
      command: "ip",
      args: ["netns", "exec", this.name, command, ...args],
    });
    this.#started.push(running);
    return running;
  }

  /** Moves an interface of this namespace into another one; it is down there. */
  async hand(link: string, to: Namespace): Promise<void> {
    await this.run(`ip link set ${link} netns ${to.name}`);
  }

  /** A cable between two namespaces, an end of the same name in each. */
  async cable(name: string, to: Namespace): Promise<void> {
    await this.run(`ip link add ${name} type veth peer name ${name} netns ${to.name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((running) => running.stop("SIGTERM", 1_000)));
    const { stdout } = await execute("ip", ["netns", "pids", this.name], 10_000);
    for (const pid of stdout.split("\n").filter(Boolean)) kill(Number(pid));
    await execute("ip", ["netns", "del", this.name], 10_000);
  }
}

export const pause = (millis: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, millis));

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function execute(command: string, args: readonly string[], timeout: number): Promise<Finished> {
  return new Promise((resolve) => {
    const options = { timeout, killSignal: "SIGKILL", maxBuffer: 1 << 26 } as const;
    execFile(command, [...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 255;
      resolve({ code, stdout, stderr });
    });
  });
}
