import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import type { EffectiveConfig } from "../config/effective.ts";
import { loadModule, loadYaml } from "../config/load.ts";
import type { LoadResult } from "../config/problem.ts";
import { importModule } from "./program-module.ts";
import { describeError } from "./report.ts";

const moduleEndings = new Set([".ts", ".mts", ".js", ".mjs"]);

/** Whether a file is a program; everything else is read as YAML. */
export const isModule = (file: string): boolean => moduleEndings.has(extname(file));

/** A file that could not be read or imported; ready for print. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
}

/** Reads and checks a configuration or a module. Throws UnreadableFile. */
export async function loadFile(file: string): Promise<LoadResult<EffectiveConfig>> {
  if (isModule(file)) return loadModule(await importDefault(file), file);
  return loadYaml(await readText(file), file);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UnreadableFile(`cannot read ${file}: ${reason(error)}`);
  }
}

async function importDefault(file: string): Promise<unknown> {
  // Said first: importing a file that is not there has a message about modules.
  await readText(file);
  try {
    return await importModule(resolve(file));
  } catch (error) {
    throw new UnreadableFile(`cannot import ${file}: ${describeError(error)}`);
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder";
  return code === "EACCES" ? "permission denied" : message;
}
