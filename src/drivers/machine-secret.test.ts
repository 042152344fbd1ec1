import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { machineSecret } from "./machine-secret.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const one = "0123456789abcdef0123456789abcdef";
const other = "0123456789abcdef0123456789abcdee";

test("a machine with an identity: the same secret each time, another one on another machine", () => {
  const [here, there] = [file("here", `${one}\n`), file("there", `${other}\n`)];
  const secret = machineSecret([here]);
  expect(secret).toHaveLength(4);
  expect(machineSecret([here])).toEqual(secret);
  expect(machineSecret([there])).not.toEqual(secret);
});

test("a machine without one, or with one that is not set yet: the next file, then none", () => {
  const [empty, pending] = [file("empty", ""), file("pending", "uninitialized\n")];
  const none = [join(folder, "missing"), empty, pending];
  expect(machineSecret(none)).toBeNull();
  expect(machineSecret([...none, file("here", one)])).not.toBeNull();
});
