import { fork } from "node:child_process";
import { ExitCode } from "./exit-code.ts";
import type { Plan } from "./plan.ts";
import { sibling } from "./sibling.ts";

/**
 * Plans in a process of its own. Measured: command-line parser, schemas and YAML cost 25 MB of memory
 * that a thread would leave behind in the allocator; for a process it costs about 100 ms at the start.
 */
export function planApart(argv: readonly string[]): Promise<Plan> {
  return new Promise((resolve) => {
    const child = fork(sibling("plan-process"), argv, { serialization: "advanced" });
    let received: Plan | null = null;
    child.on("message", (message) => {
      received = message as Plan;
    });
    child.on("error", (error) => {
      process.stderr.write(`millrace: ${error.message}\n`);
      resolve({ kind: "exit", code: ExitCode.failure });
    });
    child.on("exit", () => resolve(received ?? { kind: "exit", code: ExitCode.failure }));
  });
}
