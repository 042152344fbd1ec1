import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const run = async (...args: string[]): Promise<string> => {
  const command = ["-C", "millrace-source", join(import.meta.dirname, "run.ts"), ...args];
  const options = { cwd: root, timeout: 20_000 };
  return (await promisify(execFile)(process.execPath, command, options)).stdout;
};

test("an example without a path: a line for each that there is", async () => {
  const text = await run();
  expect(text).toMatch(/^ +examples\/netstack\/http-over-simulated-link\.ts +Two hosts/m);
  expect(text).toMatch(/^ +examples\/canary\.yaml +A new version gets/m);
  expect(text).not.toMatch(/test\.ts|run\.ts/);
});

test("an example with a path: runs as by itself; one that is not there is told of", async () => {
  const path = "examples/netstack/http-over-simulated-link.ts";
  expect(await run(path)).toContain("alice  a story of 1000000 bytes");
  await expect(run("examples/nothing.ts")).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining("there is no examples/nothing.ts"),
  });
});
