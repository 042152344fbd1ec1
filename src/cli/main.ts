import type { Plan } from "./plan.ts";

/**
 * Runs `millrace` with the arguments after its name. Ends by setting the exit status, or by `exit` once
 * a proxy has stopped. Whatever is not needed to serve is imported elsewhere or later.
 */
export async function main(argv: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    // Whoever read our output is gone (EPIPE): no reason to stop serving.
    stream.on("error", () => {});
  }
  const plan = await makePlan(argv);
  if (plan.kind === "exit") {
    process.exitCode = plan.code;
    return;
  }
  if (plan.kind === "host") {
    const { runHost } = await import("./host/run-host.ts");
    await runHost(plan);
    return;
  }
  const { runProxy } = await import("./run-proxy.ts");
  await runProxy(plan);
}

async function makePlan(argv: readonly string[]): Promise<Plan> {
  if (argv[0] === "proxy" && !argv.includes("--help") && !argv.includes("-h")) {
    const { planApart } = await import("./plan-apart.ts");
    return planApart(argv);
  }
  const { plan } = await import("./command-line.ts");
  return plan(argv);
}
