import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type LineCounter } from "yaml";
import type { Draft, PathStep, Problem } from "./problem.ts";
import { formatPath } from "./problem.ts";

/** A YAML text with its tree: turns paths into lines and columns. */
export class SourceMap {
  readonly #file: string;
  readonly #lines: readonly string[];
  readonly #document: Document;
  readonly #counter: LineCounter;

  constructor(file: string, text: string, document: Document, counter: LineCounter) {
    this.#file = file;
    this.#lines = text.split(/\r\n|\n|\r/);
    this.#document = document;
    this.#counter = counter;
  }

  problem(draft: Draft): Problem {
    const { severity, found, expected, fix } = draft;
    const offset = this.#offsetOf(draft.path, draft.at);
    return {
      severity,
      ...this.#place(offset),
      path: formatPath(draft.path),
      found,
      expected,
      ...(fix !== undefined && { fix }),
    };
  }

  /** A problem of the text itself, at an offset into it. */
  problemAt(offset: number, found: string, expected: string): Problem {
    return { severity: "error", ...this.#place(offset), path: "", found, expected };
  }

  #place(offset: number) {
    const { line, col } = this.#counter.linePos(offset);
    const at = Math.max(line, 1);
    const place = { file: this.#file, line: at, column: Math.max(col, 1) };
    const source = this.#lines[at - 1];
    return source === undefined ? place : { ...place, source };
  }

  /** Where a path starts; of a path that leaves the tree, its last key that is there. */
  #offsetOf(path: readonly PathStep[], at: Draft["at"]): number {
    let node: unknown = this.#document.contents;
    let offset = startOf(node) ?? 0;
    for (const [i, step] of path.entries()) {
      const { key, value } = this.#entry(node, step);
      if (key === undefined && value === undefined) return offset;
      const wantsKey = at === "key" && i === path.length - 1;
      const keyStart = startOf(key);
      const valueStart = startOf(value);
      offset = (wantsKey ? keyStart : (valueStart ?? keyStart)) ?? offset;
      // A missing key is reported at the key of the map that lacks it, not at its first entry.
      if (i + 1 < path.length && keyStart !== undefined && !this.#has(value, path[i + 1]!)) {
        return keyStart;
      }
      node = value;
    }
    return offset;
  }

  #has(node: unknown, step: PathStep): boolean {
    const { key, value } = this.#entry(node, step);
    return key !== undefined || value !== undefined;
  }

  #entry(parent: unknown, step: PathStep): { key?: unknown; value?: unknown } {
    const node = isAlias(parent) ? parent.resolve(this.#document) : parent;
    if (isSeq(node)) return { value: node.items[Number(step)] };
    if (!isMap(node)) return {};
    const pair = node.items.find(
      (item) =>
        isPair(item) && String(isScalar(item.key) ? item.key.value : item.key) === `${step}`,
    );
    return pair === undefined ? {} : { key: pair.key, value: pair.value };
  }
}

function startOf(node: unknown): number | undefined {
  if (typeof node !== "object" || node === null || !("range" in node)) return undefined;
  return Array.isArray(node.range) ? (node.range[0] as number) : undefined;
}
