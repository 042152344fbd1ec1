import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { AcmeFailure } from "../../acme/authority.ts";

/**
 * A folder that only its owner reads, with files that are there whole or not at all: each is written
 * beside its place, flushed, and renamed. Methods throw AcmeFailure ("local") in words for the log.
 */
export class PrivateFolder {
  readonly path: string;
  readonly #warn: (text: string) => void;

  /** `warn` is told of what was mended or cannot be used. */
  constructor(path: string, warn: (text: string) => void) {
    this.path = path;
    this.#warn = warn;
  }

  warn(text: string): void {
    this.#warn(text);
  }

  pathOf(name: string): string {
    return join(this.path, name);
  }

  /** Null where there is no such file. */
  read(name: string): string | null {
    const path = this.pathOf(name);
    try {
      const text = readFileSync(path, "latin1");
      this.#tighten(path);
      return text;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw failure(`cannot read ${path}`, error);
    }
  }

  write(name: string, text: string): void {
    const path = this.pathOf(name);
    const beside = this.pathOf(`.${name}.${process.pid}`);
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
      chmodSync(this.path, 0o700);
      rmSync(beside, { force: true });
      writeWhole(beside, text);
      renameSync(beside, path);
      this.#flush();
    } catch (error) {
      throw failure(`cannot write ${path}`, error);
    }
  }

  remove(name: string): void {
    const path = this.pathOf(name);
    try {
      rmSync(path, { force: true });
    } catch (error) {
      throw failure(`cannot remove ${path}`, error);
    }
  }

  /** Keys are nobody else's, whoever put the file there. */
  #tighten(path: string): void {
    const mode = statSync(path).mode & 0o777;
    if (process.platform === "win32" || (mode & 0o077) === 0) return;
    chmodSync(path, 0o600);
    this.#warn(`${path} could be read by others (mode ${mode.toString(8)}); it is 600 now`);
  }

  /** So that the new name survives a loss of power, too. */
  #flush(): void {
    if (process.platform === "win32") return;
    const folder = openSync(this.path, "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}

/** A new file, flushed; nothing is left of one that could not be finished. */
function writeWhole(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, text, "latin1");
    fsyncSync(file);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

function failure(what: string, error: unknown): AcmeFailure {
  const { code, message } = error as NodeJS.ErrnoException;
  return new AcmeFailure("local", `${what}: ${code ?? message}`, 0, error);
}
