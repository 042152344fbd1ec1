import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Namespace } from "./namespace.ts";
import type { Request, Response, StackStart } from "./programs/stack.ts";

const program = join(import.meta.dirname, "programs", "stack.ts");

type Ask = Request extends infer R ? (R extends Request ? Omit<R, "number"> : never) : never;

/** A stack in a process of its own in a namespace, which does what the test says. */
export class DrivenStack implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #next = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (message) => {
      const { number, result } = message as Response;
      this.#waiting.get(number)?.(result);
      this.#waiting.delete(number);
    });
  }

  static async start(namespace: Namespace, start: StackStart): Promise<DrivenStack> {
    const command = [process.execPath, program, JSON.stringify(start)];
    const child = spawn("ip", ["netns", "exec", namespace.name, ...command], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    await once(child, "message", { signal: AbortSignal.timeout(15_000) });
    return new DrivenStack(child);
  }

  ask(request: Ask): Promise<unknown> {
    const number = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve);
      this.#child.send({ ...request, number });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 3_000);
    await exited;
    clearTimeout(timer);
  }
}
