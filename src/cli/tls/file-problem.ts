import { readFileSync } from "node:fs";

/** A file for TLS that does not do: which, what is wrong with it, and what to do; ready for print. */
export class FileProblem extends Error {
  override readonly name = "FileProblem";
}

/** The bytes of a file. Throws FileProblem; `what`: "the certificate", say. */
export function readBytes(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new FileProblem(`cannot read ${what} ${path}: ${reason(error)}`);
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder";
  return code === "EACCES" ? "permission denied" : message;
}
