import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname } from "node:path";

/** Writers replace a file in several steps, and a pair in more: news is told when it has been quiet. */
const quietMs = 250;
/** A busy folder tells of each of its files: looks are no closer than this to each other. */
const pauseMs = 50;
/** Where nothing is told of changes (network file systems, links that are turned), a look finds them. */
const lookMs = 5_000;

/**
 * Tells, once for each burst of changes, that some of the files may be others now. Folders are watched,
 * for whoever replaces a file renames another into its place; what their watching misses is looked for.
 */
export class FileWatch {
  readonly #paths: readonly string[];
  readonly #onChange: () => void;
  readonly #watchers: FSWatcher[] = [];
  readonly #look: NodeJS.Timeout;
  #seen: string;
  #soon: NodeJS.Timeout | null = null;
  #quiet: NodeJS.Timeout | null = null;

  constructor(paths: readonly string[], onChange: () => void) {
    this.#paths = paths;
    this.#onChange = onChange;
    this.#seen = this.#state();
    for (const folder of new Set(paths.map((path) => dirname(path)))) this.#watchFolder(folder);
    this.#look = setInterval(() => this.#lookSoon(), lookMs);
    this.#look.unref();
  }

  close(): void {
    clearInterval(this.#look);
    if (this.#soon !== null) clearTimeout(this.#soon);
    if (this.#quiet !== null) clearTimeout(this.#quiet);
    for (const watcher of this.#watchers) watcher.close();
  }

  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
      // The folder is gone, or too many are watched: looking goes on.
      watcher.on("error", () => watcher.close());
      this.#watchers.push(watcher);
    } catch {
      // Cannot be watched, but looked at.
    }
  }

  #lookSoon(): void {
    if (this.#soon !== null) return;
    this.#soon = setTimeout(() => {
      this.#soon = null;
      this.#lookAgain();
    }, pauseMs);
    this.#soon.unref();
  }

  #lookAgain(): void {
    const state = this.#state();
    if (state === this.#seen) return;
    this.#seen = state;
    if (this.#quiet !== null) clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      this.#quiet = null;
      this.#onChange();
    }, quietMs);
    this.#quiet.unref();
  }

  /** What tells a file from the one before, through links. */
  #state(): string {
    return this.#paths
      .map((path) => {
        try {
          const { dev, ino, size, mtimeMs } = statSync(path);
          return `${dev} ${ino} ${size} ${mtimeMs}`;
        } catch {
          return "none";
        }
      })
      .join();
  }
}
