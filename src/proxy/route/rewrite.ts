import { normalizePath } from "./path.ts";
import { PrefixMatcher } from "./pattern.ts";
import type { Route } from "./route.ts";
import type { RewriteSettings } from "./settings.ts";
import { Template, type TemplateValues } from "./template.ts";

/** What of a request a template is filled from. */
export interface TemplateRequest {
  readonly path: string;
  readonly query: string;
  /** Without its port. */
  readonly hostName: string;
}

/** The values of a request that was routed by `route`. */
export function templateValues(route: Route, request: TemplateRequest): TemplateValues {
  const path = normalizePath(request.path) ?? "/";
  const query = request.query;
  return {
    host: request.hostName,
    path,
    query: query === "" ? "" : `?${query}`,
    names: route.matcher?.captureNames ?? [],
    values: route.matcher?.captures(path) ?? [],
  };
}

/** The path part of a rewrite, compiled: makes the target that goes to the upstream. */
export class PathRewrite {
  readonly #route: Route;
  readonly #template: Template | null;
  readonly #strip: string | null;
  readonly #stripped: PrefixMatcher | null;
  readonly #add: string;

  constructor(route: Route, settings: NonNullable<RewriteSettings["path"]>) {
    this.#route = route;
    this.#template = settings.kind === "replace" ? new Template(settings.template) : null;
    this.#strip = settings.kind === "prefix" ? settings.strip : null;
    this.#stripped = this.#strip === null ? null : new PrefixMatcher(this.#strip);
    const add = settings.kind === "prefix" ? (settings.add ?? "") : "";
    this.#add = add.replace(/\/+$/, "");
  }

  /** The new target: the rewritten, normalised path with the query as it was received. */
  target(request: TemplateRequest): string {
    const values = templateValues(this.#route, request);
    const path = this.#template === null ? this.#moved(values.path) : this.#template.render(values);
    // A template may end up with "//" at its front where a capture is empty; a target must not.
    return path.replace(/^\/*/, "/") + values.query;
  }

  /** A path without the prefix stays as it is. */
  #moved(path: string): string {
    const strip = this.#stripped;
    const rest = strip?.matches(path) ? `/${strip.captures(path)[0]}` : path;
    return this.#add + rest;
  }
}
