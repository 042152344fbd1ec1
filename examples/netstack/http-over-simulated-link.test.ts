import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const program = join(import.meta.dirname, "http-over-simulated-link.ts");

test("http over a simulated link: frames are lost, the story comes whole, twice alike", async () => {
  const run = () =>
    promisify(execFile)(process.execPath, ["-C", "millrace-source", program], { timeout: 20_000 });
  const [first, second] = await Promise.all([run(), run()]);
  expect(first.stdout).toContain("bob    GET /story from 10.0.0.1");
  expect(first.stdout).toContain("alice  a story of 1000000 bytes");
  expect(first.stdout).toMatch(/[1-9]\d* of them lost on the way/);
  expect(second.stdout).toBe(first.stdout);
});
