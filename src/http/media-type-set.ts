/**
 * A set of media types: "text/html", "text/*" for all of a kind, "*+json" for all with a suffix, "*" for
 * all. Parameters and case do not matter (RFC 9110 §8.3.1).
 */
export class MediaTypeSet {
  readonly #exact = new Set<string>();
  readonly #kinds: string[] = [];
  readonly #suffixes: string[] = [];
  readonly #all: boolean;

  constructor(types: readonly string[]) {
    for (const type of types) {
      const lower = type.toLowerCase();
      if (lower.endsWith("/*")) this.#kinds.push(lower.slice(0, -1));
      else if (lower.startsWith("*+")) this.#suffixes.push(lower.slice(1));
      else this.#exact.add(lower);
    }
    this.#all = this.#exact.has("*");
  }

  /** `contentType`: a field's value. Without one nothing is known, and nothing matches. */
  has(contentType: string | undefined): boolean {
    if (contentType === undefined) return false;
    if (this.#all) return true;
    const type = essence(contentType);
    return (
      this.#exact.has(type) ||
      this.#kinds.some((kind) => type.startsWith(kind)) ||
      this.#suffixes.some((suffix) => type.endsWith(suffix))
    );
  }
}

/** The type without its parameters, in lower case. */
export function essence(contentType: string): string {
  const semicolon = contentType.indexOf(";");
  const type = semicolon < 0 ? contentType : contentType.slice(0, semicolon);
  return type.trim().toLowerCase();
}
