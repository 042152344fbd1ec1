import { decodeSegment, type PathTemplate, variableValue } from "./path-template.ts";

/** Where a path leads: what stands at a template, and its variables' values by field path. */
export interface PathMatch<T> {
  readonly target: T;
  readonly values: readonly (readonly [fieldPath: string, value: string])[];
}

/** Nothing at this path, or only for the methods named. */
export type PathMiss = { readonly methods: readonly string[] };

interface Leaf<T> {
  readonly method: string;
  readonly template: PathTemplate;
  readonly target: T;
}

class Node<T> {
  readonly literals = new Map<string, Node<T>>();
  one: Node<T> | null = null;
  rest: Node<T> | null = null;
  /** By verb. */
  readonly leaves = new Map<string, Leaf<T>[]>();
}

/**
 * Templates by method and path: a tree by segments. Literals go before "*", and that before "**". "**" is
 * always last, so a look-up goes through each node of the tree at most once.
 */
export class PathTable<T> {
  readonly #root = new Node<T>();

  /** `method` "*" takes any. False where the very same is there already. */
  add(method: string, template: PathTemplate, target: T): boolean {
    let node = this.#root;
    for (const segment of template.segments) node = child(node, segment);
    const leaves = node.leaves.get(template.verb) ?? [];
    if (leaves.some((leaf) => leaf.method === method)) return false;
    leaves.push({ method, template, target });
    node.leaves.set(template.verb, leaves);
    return true;
  }

  /** `path` undecoded, with its leading slash and without a query. */
  find(method: string, path: string): PathMatch<T> | PathMiss {
    const segments = path === "/" ? [] : path.slice(1).split("/");
    const methods = new Set<string>();
    const found =
      this.#withVerb(method, segments, methods) ??
      this.#search(this.#root, segments, 0, "", method, methods);
    if (found === null) return { methods: [...methods].sort() };
    return { target: found.target, values: valuesOf(found.template, segments) };
  }

  /** The last segment's last colon may begin a verb. */
  #withVerb(method: string, segments: string[], methods: Set<string>): Leaf<T> | null {
    const last = segments.at(-1);
    const colon = last?.lastIndexOf(":") ?? -1;
    if (last === undefined || colon === -1) return null;
    const verb = decodeSegment(last.slice(colon + 1));
    if (verb === "") return null;
    segments[segments.length - 1] = last.slice(0, colon);
    const found = this.#search(this.#root, segments, 0, verb, method, methods);
    if (found === null) segments[segments.length - 1] = last;
    return found;
  }

  #search(
    node: Node<T>,
    segments: readonly string[],
    at: number,
    verb: string,
    method: string,
    methods: Set<string>,
  ): Leaf<T> | null {
    const found = at === segments.length ? leafFor(node, verb, method, methods) : null;
    if (found !== null) return found;
    if (at < segments.length) {
      const segment = segments[at]!;
      const literal = node.literals.get(decodeSegment(segment));
      if (literal !== undefined) {
        const deeper = this.#search(literal, segments, at + 1, verb, method, methods);
        if (deeper !== null) return deeper;
      }
      // An empty segment has no value that a field could be asked for by.
      if (node.one !== null && segment !== "") {
        const deeper = this.#search(node.one, segments, at + 1, verb, method, methods);
        if (deeper !== null) return deeper;
      }
    }
    return node.rest === null ? null : leafFor(node.rest, verb, method, methods);
  }
}

function child<T>(node: Node<T>, segment: PathTemplate["segments"][number]): Node<T> {
  if (segment.kind === "one") return (node.one ??= new Node());
  if (segment.kind === "rest") return (node.rest ??= new Node());
  const known = node.literals.get(segment.text);
  if (known !== undefined) return known;
  const made = new Node<T>();
  node.literals.set(segment.text, made);
  return made;
}

function leafFor<T>(
  node: Node<T>,
  verb: string,
  method: string,
  methods: Set<string>,
): Leaf<T> | null {
  const leaves = node.leaves.get(verb);
  if (leaves === undefined) return null;
  for (const leaf of leaves) methods.add(leaf.method);
  return (
    leaves.find((leaf) => leaf.method === method) ??
    leaves.find((leaf) => leaf.method === "*") ??
    null
  );
}

function valuesOf(
  { variables }: PathTemplate,
  segments: readonly string[],
): readonly (readonly [string, string])[] {
  return variables.map(({ fieldPath, from, to, open, multi }) => [
    fieldPath,
    variableValue(segments.slice(from, open ? undefined : to), multi),
  ]);
}
