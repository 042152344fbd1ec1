import { type Draft, describeValue, type PathStep } from "./problem.ts";
import { didYouMean } from "./suggest.ts";

type Tree = Readonly<Record<string, unknown>>;

const actions = ["upstream", "split", "redirect", "respond"];

/** Placeholders that every template knows; a pattern adds its captures. */
const placeholders = ["host", "path", "query"];

/** Fields that frame a message or belong to one hop: the proxy writes them itself (RFC 9110 §7.6.1). */
const ownFields = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What is wrong within one route that its schema cannot say. */
export function checkRoute(route: Tree, path: readonly PathStep[], drafts: Draft[]): void {
  const report = new Reporter(path, drafts);
  checkActions(route, report);
  checkSplit(route, report);
  checkRewrite(route, report);
  checkTemplates(route, report);
  checkFixedAnswer(route, report);
  checkEdits(route, report);
  checkCompression(route.compress, ["compress"], report);
  checkGrpc(route, report);
}

function checkGrpc(route: Tree, report: Reporter): void {
  const { grpcWeb, rewrite, transcode } = route;
  const fixed = route.respond !== undefined || route.redirect !== undefined;
  for (const key of ["grpcWeb", "transcode"]) {
    if (!fixed || route[key] === undefined) continue;
    const expected = "it in a route to an upstream";
    report.add("warning", "key", [key], "a bridge to gRPC that has no effect here", expected);
  }
  const paths = isTree(rewrite) ? ["path", "stripPrefix", "addPrefix"] : [];
  for (const key of paths) {
    if (transcode === undefined || !isTree(rewrite) || rewrite[key] === undefined) continue;
    const expected = "none beside transcode, which makes the path of a method";
    report.add("error", "key", ["rewrite", key], "a rewrite of the path", expected);
  }
  const cors = isTree(grpcWeb) && isTree(grpcWeb.cors) ? grpcWeb.cors : {};
  if (cors.credentials !== true || (cors.origins ?? "any") !== "any") return;
  const expected = "origins by name: any page could act in a visitor's name";
  report.add("error", "key", ["grpcWeb", "cors", "credentials"], "credentials for any", expected);
}

function checkCompression(compress: unknown, path: readonly PathStep[], report: Reporter): void {
  if (!isTree(compress) || !Array.isArray(compress.encodings)) return;
  const { encodings, decompress } = compress;
  for (const [i, encoding] of encodings.entries()) {
    if (encodings.indexOf(encoding) === i) continue;
    const found = `${describeValue(encoding)} a second time`;
    report.add("error", "value", [...path, "encodings", i], found, "each encoding once");
  }
  if (encodings.length === 0 && decompress !== true) {
    const expected = "at least one encoding, or decompress: true";
    report.add("warning", "value", [...path, "encodings"], "no encoding", expected);
  }
}

/** What a listener says for its routes. */
export function checkListenerCompression(
  compress: unknown,
  path: readonly PathStep[],
  drafts: Draft[],
): void {
  checkCompression(compress, ["compress"], new Reporter(path, drafts));
}

class Reporter {
  readonly #path: readonly PathStep[];
  readonly #drafts: Draft[];

  constructor(path: readonly PathStep[], drafts: Draft[]) {
    this.#path = path;
    this.#drafts = drafts;
  }

  add(
    severity: Draft["severity"],
    at: Draft["at"],
    path: readonly PathStep[],
    found: string,
    expected: string,
    fix?: string,
  ): void {
    const whole = [...this.#path, ...path];
    const base = { severity, at, path: whole, found, expected };
    this.#drafts.push(fix === undefined ? base : { ...base, fix });
  }
}

function checkActions(route: Tree, report: Reporter): void {
  const present = actions.filter((key) => route[key] !== undefined);
  if (present.length === 1) return;
  const expected = `exactly one of ${actions.join(", ")}`;
  if (present.length === 0) {
    report.add("error", "value", [], "a route that goes nowhere", expected, "Add upstream: NAME.");
  } else {
    report.add("error", "key", [present[1]!], `${present.join(" and ")} together`, expected);
  }
}

function checkSplit(route: Tree, report: Reporter): void {
  const { split, sticky } = route;
  if (sticky !== undefined && split === undefined) {
    report.add("error", "key", ["sticky"], "sticky without split", "it beside a split");
  }
  if (!isTree(split)) return;
  const weights = Object.values(split);
  if (weights.length === 0)
    report.add("error", "value", ["split"], "an empty map", "upstreams with their shares");
  else if (weights.every((weight) => weight === 0)) {
    report.add("error", "value", ["split"], "only shares of 0", "at least one share above 0");
  }
}

function checkRewrite(route: Tree, report: Reporter): void {
  const { rewrite, match } = route;
  if (!isTree(rewrite)) return;
  if (route.redirect !== undefined || route.respond !== undefined) {
    const expected = "it in a route to an upstream";
    report.add("warning", "key", ["rewrite"], "a rewrite that has no effect here", expected);
  }
  for (const key of ["stripPrefix", "addPrefix"]) {
    if (rewrite.path === undefined || rewrite[key] === undefined) continue;
    report.add("error", "key", ["rewrite", key], `path and ${key} together`, "one of them");
  }
  const strip = rewrite.stripPrefix;
  const prefix = isTree(match) && isTree(match.path) ? match.path.prefix : undefined;
  if (typeof strip !== "string" || typeof prefix !== "string") return;
  if (`${prefix}/`.startsWith(strip.replace(/\/?$/, "/"))) return;
  const expected = `a prefix of every path that matches (${prefix})`;
  report.add("warning", "value", ["rewrite", "stripPrefix"], describeValue(strip), expected);
}

function checkTemplates(route: Tree, report: Reporter): void {
  const known = [...placeholders, ...capturesOf(route.match)];
  const { redirect, rewrite } = route;
  if (isTree(redirect)) checkTemplate(redirect.location, ["redirect", "location"], known, report);
  if (isTree(rewrite)) checkTemplate(rewrite.path, ["rewrite", "path"], known, report);
}

function checkTemplate(
  template: unknown,
  path: readonly PathStep[],
  known: readonly string[],
  report: Reporter,
): void {
  if (typeof template !== "string") return;
  for (const [whole, name = ""] of template.matchAll(/\{([^}]*)\}?/g)) {
    if (whole.endsWith("}") && known.includes(name)) continue;
    const expected = `a placeholder that is known here (${known.map((k) => `{${k}}`).join(", ")})`;
    report.add("error", "value", path, describeValue(whole), expected, didYouMean(name, known));
  }
}

/** The names that the route's path gives to templates: `id` of `:id`, and `*`. */
function capturesOf(match: unknown): readonly string[] {
  if (!isTree(match)) return [];
  const path = isTree(match.path) ? (match.path.pattern ?? match.path.prefix) : match.path;
  if (typeof path !== "string") return [];
  const names = path.split("/").filter((segment) => segment.startsWith(":"));
  const open = path.endsWith("/*") || (isTree(match.path) && match.path.prefix !== undefined);
  return [...names.map((name) => name.slice(1)), ...(open ? ["*"] : [])];
}

function checkFixedAnswer(route: Tree, report: Reporter): void {
  const { respond } = route;
  if (isTree(respond)) {
    const { status, body } = respond;
    if ((status === 204 || status === 304) && typeof body === "string" && body !== "") {
      report.add(
        "error",
        "value",
        ["respond", "body"],
        "a body",
        `none with status ${status} (RFC 9110 §6.4.1)`,
      );
    }
    checkNames(respond.headers, ["respond", "headers"], report);
  }
  const fixed = route.respond !== undefined || route.redirect !== undefined;
  if (fixed && route.compress !== undefined) {
    const expected = "it in a route to an upstream";
    report.add("warning", "key", ["compress"], "compression that has no effect here", expected);
  }
  if (fixed && route.requestHeaders !== undefined) {
    const expected = "it in a route to an upstream";
    report.add("warning", "key", ["requestHeaders"], "an edit that has no effect here", expected);
  }
}

function checkEdits(route: Tree, report: Reporter): void {
  for (const side of ["requestHeaders", "responseHeaders"]) {
    const edits = route[side];
    if (!isTree(edits)) continue;
    for (const verb of ["set", "add"]) checkNames(edits[verb], [side, verb], report);
    for (const [i, name] of (Array.isArray(edits.remove) ? edits.remove : []).entries()) {
      checkName(name, [side, "remove", i], "value", report);
    }
  }
}

function checkNames(fields: unknown, path: readonly PathStep[], report: Reporter): void {
  if (!isTree(fields)) return;
  for (const name of Object.keys(fields)) checkName(name, [...path, name], "key", report);
}

function checkName(
  name: unknown,
  path: readonly PathStep[],
  at: Draft["at"],
  report: Reporter,
): void {
  if (typeof name !== "string") return;
  const lower = name.toLowerCase();
  if (ownFields.has(lower)) {
    report.add(
      "error",
      at,
      path,
      describeValue(name),
      "a field that the proxy does not manage itself",
    );
  } else if (lower === "host" && path[0] === "requestHeaders") {
    const fix = "Use rewrite: { host: NAME }.";
    report.add("error", at, path, describeValue(name), "a field other than Host", fix);
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
