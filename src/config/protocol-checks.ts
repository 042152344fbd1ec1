import { type Draft, describeValue, type PathStep } from "./problem.ts";

type Tree = Readonly<Record<string, unknown>>;

/** An upstream's endpoints are all spoken to alike: with one at h2c://, all are. */
export function checkProtocol(upstream: Tree, path: readonly PathStep[], drafts: Draft[]): void {
  const { endpoints, protocol } = upstream;
  const places = (Array.isArray(endpoints) ? endpoints : []).map((endpoint: unknown) =>
    typeof endpoint === "object" && endpoint !== null ? (endpoint as Tree).address : endpoint,
  );
  const isH2c = (place: unknown): boolean =>
    typeof place === "string" && place.startsWith("h2c://");
  if (!places.some(isH2c)) return;
  if (protocol === "http1") {
    drafts.push({
      severity: "error",
      path: [...path, "protocol"],
      at: "value",
      found: "http1 beside an endpoint at h2c://, which is HTTP/2",
      expected: "http2, or an endpoint at http://",
    });
  }
  const other = places.findIndex((place) => typeof place === "string" && !isH2c(place));
  if (other < 0) return;
  drafts.push({
    severity: "error",
    path: [...path, "endpoints", other],
    at: "value",
    found: `${describeValue(places[other])} beside an endpoint at h2c://`,
    expected: "h2c:// for all endpoints of an upstream, or for none",
  });
}
