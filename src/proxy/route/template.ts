/** What fills the placeholders of a template. */
export interface TemplateValues {
  /** Without its port. */
  readonly host: string;
  /** The normalised path. */
  readonly path: string;
  /** With its "?" when there is one, else "". */
  readonly query: string;
  /** Captures, side by side. */
  readonly names: readonly string[];
  readonly values: readonly string[];
}

/**
 * Text with placeholders: `{host}`, `{path}`, `{query}` and the captures of the route's path, `{id}` for
 * `:id` and `{*}` for the rest. A name that is none of these gives nothing.
 */
export class Template {
  readonly #literals: readonly string[];
  readonly #names: readonly string[];

  constructor(text: string) {
    const parts = text.split(/\{([^{}]*)\}/);
    this.#literals = parts.filter((_, i) => i % 2 === 0);
    this.#names = parts.filter((_, i) => i % 2 === 1);
  }

  /** Whether it is the same for every request. */
  get isPlain(): boolean {
    return this.#names.length === 0;
  }

  render(from: TemplateValues): string {
    let text = this.#literals[0]!;
    for (const [i, name] of this.#names.entries()) {
      text += lookUp(name, from) + this.#literals[i + 1]!;
    }
    return text;
  }
}

function lookUp(name: string, from: TemplateValues): string {
  const capture = from.names.indexOf(name);
  if (capture >= 0) return from.values[capture] ?? "";
  if (name === "host") return from.host;
  if (name === "path") return from.path;
  return name === "query" ? from.query : "";
}
