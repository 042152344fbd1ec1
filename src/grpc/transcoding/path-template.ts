/**
 * Path templates of google.api.http (google/api/http.proto):
 *
 *     Template = "/" Segments [ ":" Verb ]      Segment  = "*" | "**" | LITERAL | Variable
 *     Segments = Segment { "/" Segment }        Variable = "{" FieldPath [ "=" Segments ] "}"
 */
export interface PathTemplate {
  /** "*" for one segment, "**" for the rest (last only), or a literal, decoded. */
  readonly segments: readonly TemplateSegment[];
  readonly variables: readonly TemplateVariable[];
  /** What follows the last segment's colon; "" for none. */
  readonly verb: string;
}

export type TemplateSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "one" }
  | { readonly kind: "rest" };

/** A variable and the segments that it takes: [from, to); for one that ends in "**", to the path's end. */
export interface TemplateVariable {
  readonly fieldPath: string;
  readonly from: number;
  readonly to: number;
  readonly open: boolean;
  /** It may be more than one segment: "/" and "%2F" have to stay apart in its value. */
  readonly multi: boolean;
}

/** A template that breaks the syntax; the message says where. */
export class BadTemplate extends Error {
  override readonly name = "BadTemplate";
}

const literal = /^(?:[A-Za-z0-9\-._~!$&'()+,;@]|%[0-9A-Fa-f]{2})+/;
const fieldPath = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/;

/** Throws BadTemplate. */
export function parsePathTemplate(text: string): PathTemplate {
  return new TemplateParser(text).parse();
}

class TemplateParser {
  private readonly text: string;
  private at = 0;
  private readonly segments: TemplateSegment[] = [];
  private readonly variables: TemplateVariable[] = [];

  constructor(text: string) {
    this.text = text;
  }

  parse(): PathTemplate {
    this.expect("/");
    // Not in the grammar, but in use: the root.
    if (this.at < this.text.length) this.readSegments(true);
    let verb = "";
    if (this.taken(":")) verb = decodeSegment(this.match(literal, "a verb"));
    if (this.at < this.text.length) this.refuse("the end");
    const rest = this.segments.findIndex(({ kind }) => kind === "rest");
    if (rest !== -1 && rest !== this.segments.length - 1) {
      throw new BadTemplate(`${this.text}: "**" stands before the last segment`);
    }
    const names = new Set(this.variables.map((variable) => variable.fieldPath));
    if (names.size < this.variables.length) {
      throw new BadTemplate(`${this.text}: a variable is bound twice`);
    }
    return { segments: this.segments, variables: this.variables, verb };
  }

  private readSegments(variablesAllowed: boolean): void {
    do {
      if (this.taken("**")) this.segments.push({ kind: "rest" });
      else if (this.taken("*")) this.segments.push({ kind: "one" });
      else if (variablesAllowed && this.taken("{")) this.readVariable();
      else {
        const text = decodeSegment(this.match(literal, "a segment"));
        this.segments.push({ kind: "literal", text });
      }
    } while (this.taken("/"));
  }

  private readVariable(): void {
    const name = this.match(fieldPath, "a field's path");
    const from = this.segments.length;
    if (this.taken("=")) this.readSegments(false);
    else this.segments.push({ kind: "one" });
    this.expect("}");
    const taken = this.segments.slice(from);
    const open = taken.at(-1)?.kind === "rest";
    this.variables.push({
      fieldPath: name,
      from,
      to: this.segments.length,
      open,
      multi: open || taken.length > 1,
    });
  }

  private taken(token: string): boolean {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  private expect(token: string): void {
    if (!this.taken(token)) this.refuse(`"${token}"`);
  }

  private match(pattern: RegExp, what: string): string {
    const found = pattern.exec(this.text.slice(this.at));
    if (found === null) this.refuse(what);
    this.at += found[0].length;
    return found[0];
  }

  private refuse(expected: string): never {
    const found = this.text.slice(this.at, this.at + 10) || "the end";
    throw new BadTemplate(`${this.text}: expected ${expected} at ${this.at + 1}, found ${found}`);
  }
}

/** A segment with its escapes decoded as UTF-8; as it is where they are broken. */
export function decodeSegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * What a variable's segments stand for. In one that takes several, escaped slashes stay escaped, else
 * nobody could tell them from those between segments (http.proto, "Path template syntax").
 */
export function variableValue(segments: readonly string[], multi: boolean): string {
  if (!multi) return decodeSegment(segments[0] ?? "");
  return segments
    .map((segment) =>
      segment
        .split(/(%2f)/i)
        .map((part) => (/^%2f$/i.test(part) ? part : decodeSegment(part)))
        .join(""),
    )
    .join("/");
}
