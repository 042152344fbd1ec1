/**
 * What a route says of paths, compiled: an exact path, a prefix of whole segments, or a pattern.
 *
 * A pattern is made of segments. `:name` stands for one segment that is not empty, a `*` at the end for
 * the rest of the path, which may be empty after the slash: `/files/*` takes `/files/` and `/files/a/b`,
 * not `/files`. All else is literal and case-sensitive. Matching walks path and pattern once, side by
 * side: there is nothing to backtrack into, which is why there are no regular expressions.
 *
 * A prefix `/api` takes `/api` and all below `/api/`; a slash at its end says nothing.
 */
export interface PathMatcher {
  /** Literal segments, and all segments: what specificity is measured by. */
  readonly literals: number;
  readonly length: number;
  /** Whether paths of any depth match. */
  readonly open: boolean;
  matches(path: string): boolean;
  /** The values of `captureNames`, of a path that matches. */
  captures(path: string): readonly string[];
  readonly captureNames: readonly string[];
}

const SLASH = 0x2f;

/** Every path that starts with these whole segments. `*` captures what follows, without the slash. */
export class PrefixMatcher implements PathMatcher {
  readonly literals: number;
  readonly length: number;
  readonly open = true;
  readonly captureNames = ["*"];
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix.replace(/\/+$/, "");
    this.literals = this.#prefix.split("/").length - 1;
    this.length = this.literals;
  }

  matches(path: string): boolean {
    const end = this.#prefix.length;
    if (!path.startsWith(this.#prefix)) return false;
    return path.length === end ? end > 0 : path.charCodeAt(end) === SLASH;
  }

  captures(path: string): readonly string[] {
    return [path.slice(this.#prefix.length + 1)];
  }
}

/** `/users/:id/files/*`. Also paths without any capture. */
export class PatternMatcher implements PathMatcher {
  readonly literals: number;
  readonly length: number;
  readonly open: boolean;
  readonly captureNames: readonly string[];
  /** A literal's text, or null for a capture. */
  readonly #segments: readonly (string | null)[];

  constructor(pattern: string) {
    this.open = pattern.endsWith("/*");
    const segments = (this.open ? pattern.slice(0, -2) : pattern).split("/").slice(1);
    this.#segments = segments.map((segment) => (segment.startsWith(":") ? null : segment));
    this.literals = this.#segments.filter((segment) => segment !== null).length;
    this.length = segments.length;
    const names = segments.filter((s) => s.startsWith(":")).map((s) => s.slice(1));
    this.captureNames = this.open ? [...names, "*"] : names;
  }

  matches(path: string): boolean {
    let at = 0;
    for (let i = 0; i < this.#segments.length; i++) {
      if (path.charCodeAt(at) !== SLASH) return false;
      const literal = this.#segments[i]!;
      const start = at + 1;
      at = endOfSegment(path, start);
      if (literal === null ? at === start : !isSpan(path, start, at, literal)) return false;
    }
    return this.open ? path.charCodeAt(at) === SLASH : at === path.length;
  }

  captures(path: string): readonly string[] {
    const values: string[] = [];
    let at = 0;
    for (const literal of this.#segments) {
      const start = at + 1;
      at = endOfSegment(path, start);
      if (literal === null) values.push(path.slice(start, at));
    }
    if (this.open) values.push(path.slice(at + 1));
    return values;
  }
}

function endOfSegment(path: string, start: number): number {
  const slash = path.indexOf("/", start);
  return slash < 0 ? path.length : slash;
}

const isSpan = (path: string, start: number, end: number, literal: string): boolean =>
  end - start === literal.length && path.startsWith(literal, start);
