import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..", "..");

test("the program of the readme, run as it stands, pings, hears its echo and captures", async () => {
  const readme = readFileSync(join(import.meta.dirname, "README.md"), "utf8");
  const [, program = ""] = /```ts\n([\s\S]*?)```/.exec(readme)!;
  const folder = await mkdtemp("/tmp/millrace-readme-");
  try {
    const file = join(folder, "link.pcapng");
    const code = program.replace("link.pcapng", file);
    const args = ["-C", "millrace-source", "--input-type=module-typescript", "-e", code];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
    expect(stdout).toMatch(/^(reply \d\n){2,5}echo hello\n$/);
    expect(readFileSync(file).readUInt32LE(0)).toBe(0x0a0d0d0a);
  } finally {
    await rm(folder, { recursive: true });
  }
});
