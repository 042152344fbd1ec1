import type { RouteMatch, RouteSettings } from "../settings.ts";

/** A route with the parts that a test is about; the rest matches everything and goes to "app". */
export function route(
  name: string,
  match: Partial<RouteMatch> = {},
  rest: Partial<RouteSettings> = {},
): RouteSettings {
  return {
    name,
    match: { hosts: [], path: null, methods: [], headers: [], query: [], ...match },
    action: { kind: "upstream", upstream: "app" },
    rewrite: null,
    requestHeaders: null,
    responseHeaders: null,
    ...rest,
  };
}

/** A request as routes see it. */
export function request(
  target: string,
  hostName = "example.com",
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
) {
  const mark = target.indexOf("?");
  return {
    method,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? "" : target.slice(mark + 1),
    hostName,
    headers: { get: (name: string) => headers[name.toLowerCase()] },
  };
}
