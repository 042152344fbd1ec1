import type { Interface } from "../interface.ts";
import type { IpLayer, NoPath, Path, PathConstraint } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";

const KEPT = 8;

/** The last few destinations of a socket with their paths: the one that was found longest ago goes. */
export class RecentPaths {
  readonly #ip: IpLayer;
  readonly #entries: Entry[] = [];
  #next = 0;
  #last: Entry | null = null;

  constructor(ip: IpLayer) {
    this.#ip = ip;
  }

  /** The path that was found before with the same interface and source, if it still holds. */
  known(destination: Ip, on: Interface | null, source: Ip | null): Path | null {
    const last = this.#last;
    if (last !== null && isFor(last, destination, on, source) && last.path.valid) return last.path;
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if (!isFor(entry, destination, on, source) || !entry.path.valid) continue;
      this.#last = entry;
      return entry.path;
    }
    return null;
  }

  find(
    destination: Ip,
    on: Interface | null,
    source: Ip | null,
    constraint: PathConstraint,
  ): Path | NoPath {
    const path = this.#ip.resolve(destination, constraint);
    if (typeof path === "string") return path;
    const entry = { destination, on, source, path };
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % KEPT;
    this.#last = entry;
    return path;
  }

  /** Whether something was sent there lately. */
  has(destination: Ip): boolean {
    return this.#entries.some((entry) => entry.destination.equals(destination));
  }

  clear(): void {
    this.#entries.length = 0;
    this.#next = 0;
    this.#last = null;
  }
}

interface Entry {
  readonly destination: Ip;
  readonly on: Interface | null;
  readonly source: Ip | null;
  readonly path: Path;
}

const isFor = (entry: Entry, destination: Ip, on: Interface | null, source: Ip | null): boolean =>
  entry.destination.equals(destination) &&
  entry.on === on &&
  (entry.source === source || (source !== null && entry.source?.equals(source) === true));
