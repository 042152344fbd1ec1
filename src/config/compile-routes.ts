import type { CompressionSettings } from "../proxy/compression/settings.ts";
import type {
  RewriteSettings,
  RouteAction,
  RouteMatch,
  RouteSettings,
  ValueMatch,
} from "../proxy/route/settings.ts";
import type { ParsedRoute } from "./route-schema.ts";

type ParsedMatch = ParsedRoute["match"];
type Conditions = NonNullable<ParsedMatch["headers"]>;

/**
 * The routes of one listener; those without a name get one from what they match, those to an upstream
 * that say nothing of compression what the listener says.
 */
export function compileRoutes(
  parsed: readonly ParsedRoute[],
  compress: CompressionSettings | null,
): readonly RouteSettings[] {
  const taken = new Set(parsed.flatMap((route) => route.name ?? []));
  return parsed.map((route) => {
    const match = compileMatch(route.match);
    const name = route.name ?? freeName(describeMatch(match), taken);
    taken.add(name);
    return {
      name,
      match,
      action: compileAction(route),
      rewrite: compileRewrite(route.rewrite),
      requestHeaders: route.requestHeaders ?? null,
      responseHeaders: route.responseHeaders ?? null,
      compress: route.compress === undefined ? compress : route.compress,
      grpcWeb: route.grpcWeb ?? null,
      transcode: route.transcode ?? null,
    };
  });
}

function compileMatch(match: ParsedMatch): RouteMatch {
  return {
    hosts: asList(match.host),
    path: match.path ?? null,
    methods: asList(match.method),
    headers: compileConditions(match.headers),
    query: compileConditions(match.query),
  };
}

function compileConditions(conditions: Conditions | undefined): readonly ValueMatch[] {
  return Object.entries(conditions ?? {}).map(([name, condition]) => ({ name, ...condition }));
}

function compileAction(route: ParsedRoute): RouteAction {
  if (route.upstream !== undefined) return { kind: "upstream", upstream: route.upstream };
  if (route.redirect !== undefined) return { kind: "redirect", ...route.redirect };
  if (route.respond !== undefined) return { kind: "respond", ...route.respond };
  return {
    kind: "split",
    targets: Object.entries(route.split ?? {}).map(([upstream, weight]) => ({ upstream, weight })),
    sticky: route.sticky ?? null,
  };
}

function compileRewrite(rewrite: ParsedRoute["rewrite"]): RewriteSettings | null {
  if (rewrite === undefined) return null;
  const { path, stripPrefix, addPrefix, host } = rewrite;
  let change: RewriteSettings["path"] = null;
  if (path !== undefined) change = { kind: "replace", template: path };
  else if (stripPrefix !== undefined || addPrefix !== undefined) {
    change = { kind: "prefix", strip: stripPrefix ?? null, add: addPrefix ?? null };
  }
  return { path: change, host: host ?? null };
}

/** "api.example.com/v1/*", or "default" for a route that takes everything. */
function describeMatch({ hosts, path }: RouteMatch): string {
  const host = hosts[0] ?? "";
  const suffix = path?.kind === "prefix" ? path.value.replace(/\/?$/, "/*") : (path?.value ?? "");
  return host + suffix || "default";
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted;
  for (let n = 2; ; n++) {
    if (!taken.has(`${wanted}#${n}`)) return `${wanted}#${n}`;
  }
}

function asList(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}
