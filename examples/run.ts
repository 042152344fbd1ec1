/**
 * Runs an example that is a program of its own, or lists what there is:
 *
 *     npm run -s example -- [PATH [ARGUMENT…]]
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const here = import.meta.dirname;
const path = process.argv[2];

if (path === undefined) process.stdout.write(list());
else if (!existsSync(path)) {
  process.stderr.write(`there is no ${path}\n\n${list()}`);
  process.exitCode = 2;
} else {
  // As if it had been run itself.
  process.argv.splice(1, 2, resolve(path));
  await import(pathToFileURL(resolve(path)).href);
}

function list(): string {
  const [proxies, programs] = [found("*.{ts,yaml}"), found("{grpc,netstack}/*.ts")];
  const yaml = found("grpc/*.yaml");
  return [
    "Programs, run with: npm run -s example -- PATH",
    ...programs.map(line),
    "",
    "Programs and configurations of the proxy, run with: npm run -s millrace -- proxy PATH",
    ...[...proxies, ...yaml].map(line),
    "",
  ].join("\n");
}

function found(pattern: string): readonly string[] {
  return globSync(pattern, { cwd: here })
    .filter((name) => !name.endsWith(".test.ts") && name !== "run.ts")
    .sort();
}

/** A path and the first sentence of the comment that its file begins with. */
function line(name: string): string {
  const file = join(here, name);
  const text = readFileSync(file, "utf8");
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? /^(?:#.*\n)*/.exec(text)![0];
  const words = comment
    .replace(/^# yaml-language-server.*$/m, "")
    .replace(/^ *[*#] ?/gm, "")
    .replace(/\s+/g, " ")
    .trim();
  const sentence = /^.*?(?=[.:](?: |$))/.exec(words)?.[0] ?? words;
  return `  ${relative(process.cwd(), file).padEnd(48)}${sentence}`;
}
