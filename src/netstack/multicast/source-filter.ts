import type { Ip } from "../ip-address.ts";

/** Whose packets to a group are wanted: those of the listed sources, or all but those (RFC 3376 §2). */
export interface SourceFilter {
  readonly mode: "include" | "exclude";
  readonly sources: readonly Ip[];
}

/** EXCLUDE {}: a plain join. */
export const ANY_SOURCE: SourceFilter = Object.freeze({
  mode: "exclude",
  sources: Object.freeze([]),
});
/** INCLUDE {}: no member (RFC 3376 §3.2). */
export const NO_SOURCE: SourceFilter = Object.freeze({
  mode: "include",
  sources: Object.freeze([]),
});

export const hasSource = (list: readonly Ip[], ip: Ip): boolean =>
  list.some((one) => one.equals(ip));

/** The sources of `a` that `b` lacks. */
export const without = (a: readonly Ip[], b: readonly Ip[]): Ip[] =>
  a.filter((ip) => !hasSource(b, ip));

export const common = (a: readonly Ip[], b: readonly Ip[]): Ip[] =>
  a.filter((ip) => hasSource(b, ip));

export const union = (a: readonly Ip[], b: readonly Ip[]): Ip[] => [...a, ...without(b, a)];

export function sameFilter(a: SourceFilter, b: SourceFilter): boolean {
  if (a.mode !== b.mode || a.sources.length !== b.sources.length) return false;
  return without(a.sources, b.sources).length === 0;
}

export const isNoSource = (filter: SourceFilter): boolean =>
  filter.mode === "include" && filter.sources.length === 0;

export function acceptsSource(filter: SourceFilter, source: Ip): boolean {
  return hasSource(filter.sources, source) === (filter.mode === "include");
}

/**
 * The filter of an interface from those of its sockets (RFC 3376 §3.2): with an EXCLUDE among them,
 * what all EXCLUDE lists share less what an INCLUDE asks for; else the union.
 */
export function mergeFilters(filters: readonly SourceFilter[]): SourceFilter {
  if (filters.length === 1) return filters[0]!;
  let included: readonly Ip[] = [];
  let excluded: readonly Ip[] | null = null;
  for (const { mode, sources } of filters) {
    if (mode === "include") included = union(included, sources);
    else excluded = excluded === null ? sources : common(excluded, sources);
  }
  if (excluded === null) return { mode: "include", sources: included };
  return { mode: "exclude", sources: without(excluded, included) };
}
