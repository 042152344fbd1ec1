import { Conditions, type RoutableRequest } from "./conditions.ts";
import { normalizePath } from "./path.ts";
import { type PathMatcher, PatternMatcher, PrefixMatcher } from "./pattern.ts";
import type { PathMatch, RouteSettings } from "./settings.ts";

/** A route's match, compiled. */
export class Route {
  readonly settings: RouteSettings;
  /** Where it stands among the routes of its listener, from 0. */
  readonly index: number;
  /** The one path that it takes, normalised; null when it takes others. */
  readonly exactPath: string | null;
  /** null: an exact path, or any. */
  readonly matcher: PathMatcher | null;
  readonly conditions: Conditions;
  /** The literal that every path that matches begins with; null when it may be any. */
  readonly firstSegment: string | null;

  constructor(settings: RouteSettings, index: number) {
    const { path } = settings.match;
    this.settings = settings;
    this.index = index;
    this.exactPath = path?.kind === "exact" ? normalized(path.value) : null;
    this.matcher = path === null || path.kind === "exact" ? null : matcherOf(path);
    this.conditions = new Conditions(settings.match);
    this.firstSegment = path === null ? null : firstLiteral(path);
  }

  get takesAnyPath(): boolean {
    return this.settings.match.path === null;
  }

  /** Whether every request of its host matches. */
  get isCatchAll(): boolean {
    return this.takesAnyPath && this.conditions.count === 0;
  }

  /** Of a route that is no exact path. `path` is normalised. */
  matches(request: RoutableRequest, path: string): boolean {
    return (this.matcher === null || this.matcher.matches(path)) && this.conditions.hold(request);
  }
}

/**
 * The order in which routes of one host are asked: the more specific first. An exact path; then more
 * literal segments; then a path of a set length before an open one; then more segments; then a pattern
 * before a prefix; then more further conditions; then the order of the file.
 */
export function bySpecificity(a: Route, b: Route): number {
  return (
    rank(b.exactPath !== null) - rank(a.exactPath !== null) ||
    literals(b) - literals(a) ||
    rank(isOpen(a)) - rank(isOpen(b)) ||
    segments(b) - segments(a) ||
    rank(isPrefix(a)) - rank(isPrefix(b)) ||
    b.conditions.count - a.conditions.count ||
    a.index - b.index
  );
}

const rank = (holds: boolean): number => (holds ? 1 : 0);
const isOpen = (route: Route): boolean => route.exactPath === null && route.matcher?.open !== false;
const isPrefix = (route: Route): boolean => route.matcher instanceof PrefixMatcher;
// A route without a path comes after everything that has one, "/" and "/*" included.
const literals = (route: Route): number => route.matcher?.literals ?? (route.takesAnyPath ? -1 : 0);
const segments = (route: Route): number => route.matcher?.length ?? 0;

function matcherOf({ kind, value }: PathMatch): PathMatcher {
  if (kind === "prefix") return new PrefixMatcher(normalized(value));
  // "*" survives normalisation and ":" does, too; the captures' names keep their case.
  return new PatternMatcher(normalized(value));
}

function firstLiteral({ kind, value }: PathMatch): string | null {
  const segment = normalized(value).split("/")[1] ?? "";
  const anything = kind === "pattern" ? segment === "*" || segment.startsWith(":") : false;
  // A prefix of "/" alone takes every first segment.
  return anything || segment === "" ? null : segment;
}

function normalized(path: string): string {
  const plain = normalizePath(path);
  if (plain === null) throw new TypeError(`a route cannot match the path ${path}`);
  return plain;
}
