import { checkAcme } from "./acme-checks.ts";
import { type Draft, describeValue, formatPath, type PathStep } from "./problem.ts";
import { checkProtocol } from "./protocol-checks.ts";
import { checkListenerCompression, checkRoute } from "./route-checks.ts";
import { splitScheme } from "./scalars.ts";
import { defaultAdmin } from "./schema.ts";
import { didYouMean } from "./suggest.ts";
import { checkListenerTls } from "./tls-checks.ts";
import { parseDuration, parseSize } from "./units.ts";

type Tree = Readonly<Record<string, unknown>>;

/**
 * What a schema cannot say: names that must exist or be unique, values that contradict each other. Works
 * on the data as it was read, whatever its shape, so that these problems show up along with the others;
 * what is no map or list where one belongs is passed over, for the schema has reported it.
 */
export function checkReferences(raw: unknown, source: "file" | "module"): readonly Draft[] {
  if (!isTree(raw)) return [];
  const drafts: Draft[] = [];
  const upstreams = isTree(raw.upstreams) ? raw.upstreams : {};
  const used = new Set<string>();
  for (const [i, listener] of listOf(raw.listeners).entries()) {
    if (!isTree(listener)) continue;
    checkListenerLimits(listener, ["listeners", i], drafts);
    checkListenerTls(listener, ["listeners", i], drafts);
    checkListenerCompression(listener.compress, ["listeners", i], drafts);
    for (const use of passthroughOf(listener, ["listeners", i])) {
      used.add(use.name);
      if (!Object.hasOwn(upstreams, use.name)) drafts.push(unknownUpstream(use, upstreams));
    }
    for (const [j, route] of listOf(listener.routes).entries()) {
      if (!isTree(route)) continue;
      const path = ["listeners", i, "routes", j];
      checkRoute(route, path, drafts);
      for (const use of upstreamsOf(route, path)) {
        used.add(use.name);
        if (!Object.hasOwn(upstreams, use.name)) drafts.push(unknownUpstream(use, upstreams));
        else if (callsByGrpc(route) && speaksOnlyHttp1(upstreams[use.name])) {
          const found = `${describeValue(use.name)}, which is spoken to in HTTP/1.1`;
          const expected = "an upstream of HTTP/2, as gRPC needs it";
          const fix = `Give ${use.name} protocol: http2, or endpoints at h2c:// or https://.`;
          drafts.push(draft("warning", use.path, use.at, found, expected, fix));
        }
      }
    }
    checkUniqueNames(listOf(listener.routes), ["listeners", i, "routes"], "route", drafts);
    checkShadowed(listOf(listener.routes), ["listeners", i, "routes"], drafts);
  }
  checkUniqueNames(listOf(raw.listeners), ["listeners"], "listener", drafts);
  checkAddresses(raw, drafts);
  checkAcme(listOf(raw.listeners), drafts);
  for (const [name, upstream] of Object.entries(upstreams)) {
    const path = ["upstreams", name];
    if (source === "file" && !used.has(name)) {
      const expected = "a route that goes there";
      drafts.push(draft("warning", path, "key", `an upstream that no route uses`, expected));
    }
    if (isTree(upstream)) checkUpstream(upstream, path, drafts);
  }
  return drafts;
}

const callsByGrpc = ({ grpcWeb, transcode }: Tree): boolean =>
  (grpcWeb !== undefined && grpcWeb !== false) || transcode !== undefined;

function speaksOnlyHttp1(upstream: unknown): boolean {
  if (!isTree(upstream) || upstream.protocol === "http2") return false;
  if (upstream.protocol === "http1") return true;
  const endpoints = listOf(upstream.endpoints).map((one) => (isTree(one) ? one.address : one));
  const modern = endpoints.some((one) => typeof one === "string" && /^(h2c|https):/.test(one));
  return upstream.tls === undefined && !modern;
}

interface Use {
  readonly name: string;
  readonly path: readonly PathStep[];
  readonly at: Draft["at"];
}

function upstreamsOf(route: Tree, path: readonly PathStep[]): readonly Use[] {
  const uses: Use[] = [];
  const { upstream, split } = route;
  if (typeof upstream === "string") {
    uses.push({ name: upstream, path: [...path, "upstream"], at: "value" });
  }
  if (isTree(split)) {
    for (const name of Object.keys(split)) {
      uses.push({ name, path: [...path, "split", name], at: "key" });
    }
  }
  return uses;
}

function passthroughOf({ tls }: Tree, path: readonly PathStep[]): readonly Use[] {
  const rules = isTree(tls) ? listOf(tls.passthrough) : [];
  return rules.flatMap((rule, i): readonly Use[] =>
    isTree(rule) && typeof rule.upstream === "string"
      ? [{ name: rule.upstream, path: [...path, "tls", "passthrough", i, "upstream"], at: "value" }]
      : [],
  );
}

function unknownUpstream({ name, path, at }: Use, upstreams: Tree): Draft {
  const names = Object.keys(upstreams);
  const expected =
    names.length === 0
      ? "the name of an upstream (none is defined)"
      : `the name of an upstream (${names.join(", ")})`;
  return draft("error", path, at, describeValue(name), expected, didYouMean(name, names));
}

function checkUniqueNames(
  entries: readonly unknown[],
  path: readonly PathStep[],
  what: string,
  drafts: Draft[],
): void {
  const seen = new Set<string>();
  for (const [i, entry] of entries.entries()) {
    const name = isTree(entry) ? entry.name : undefined;
    if (typeof name !== "string") continue;
    if (seen.has(name)) {
      const found = `${describeValue(name)} a second time`;
      drafts.push(draft("error", [...path, i, "name"], "value", found, `a name for each ${what}`));
    }
    seen.add(name);
  }
}

/** Of two routes with the same match the second is never asked. */
function checkShadowed(
  routes: readonly unknown[],
  path: readonly PathStep[],
  drafts: Draft[],
): void {
  const seen = new Map<string, number>();
  for (const [i, route] of routes.entries()) {
    if (!isTree(route)) continue;
    const match = JSON.stringify(route.match ?? {});
    const first = seen.get(match);
    if (first === undefined) seen.set(match, i);
    else {
      const found = `the match of ${formatPath([...path, first])} again`;
      drafts.push(
        draft("warning", [...path, i], "value", found, "a match of its own, or it is never asked"),
      );
    }
  }
}

/** An address can be bound once; a port of 0 asks for a free one each time. */
function checkAddresses(raw: Tree, drafts: Draft[]): void {
  const seen = new Map<string, string>();
  const take = (address: unknown, path: readonly PathStep[], owner: string): void => {
    if (typeof address !== "string" || /:0\/?$/.test(address)) return;
    const key = splitScheme(address).rest.replace(/^\*:/, "0.0.0.0:").toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) {
      const found = `${describeValue(address)}, taken by ${other}`;
      drafts.push(draft("error", path, "value", found, "an address of its own"));
    }
    seen.set(key, owner);
  };
  const { admin = defaultAdmin } = raw;
  take(isTree(admin) ? admin.listen : admin, ["admin"], "admin");
  for (const [i, listener] of listOf(raw.listeners).entries()) {
    if (!isTree(listener)) continue;
    const { listen } = listener;
    const path = ["listeners", i, "listen"];
    if (!Array.isArray(listen)) take(listen, path, `listeners[${i}]`);
    else for (const [j, one] of listen.entries()) take(one, [...path, j], `listeners[${i}]`);
  }
}

function checkListenerLimits(listener: Tree, path: readonly PathStep[], drafts: Draft[]): void {
  const limits = isTree(listener.limits) ? listener.limits : {};
  const line = sizeOf(limits.requestLine) ?? 8 * 1024;
  const head = sizeOf(limits.head) ?? 32 * 1024;
  if (line <= head) return;
  const key = limits.head === undefined ? "requestLine" : "head";
  const found = describeValue(limits[key]);
  const expected =
    key === "head"
      ? "a head no smaller than requestLine"
      : "a request line no longer than head (32KiB)";
  drafts.push(draft("error", [...path, "limits", key], "value", found, expected));
}

function checkUpstream(upstream: Tree, path: readonly PathStep[], drafts: Draft[]): void {
  checkTotalTimeout(upstream.timeouts, [...path, "timeouts"], drafts);
  checkProtocol(upstream, path, drafts);
  const limits = isTree(upstream.limits) ? upstream.limits : {};
  const { connectionsPerEndpoint: most, idlePerEndpoint: idle } = limits;
  if (typeof most === "number" && typeof idle === "number" && idle > most) {
    const expected = `at most connectionsPerEndpoint (${most})`;
    const at = [...path, "limits", "idlePerEndpoint"];
    drafts.push(draft("warning", at, "value", String(idle), expected));
  }
  const seen = new Set<string>();
  for (const [i, endpoint] of listOf(upstream.endpoints).entries()) {
    const address = isTree(endpoint) ? endpoint.address : endpoint;
    if (typeof address !== "string") continue;
    if (seen.has(address)) {
      const found = `${describeValue(address)} a second time`;
      const expected = "each endpoint once; use weight for a larger share";
      drafts.push(draft("error", [...path, "endpoints", i], "value", found, expected));
    }
    seen.add(address);
  }
}

/** A part of the exchange that may last longer than the whole never runs out itself. */
function checkTotalTimeout(timeouts: unknown, path: readonly PathStep[], drafts: Draft[]): void {
  if (!isTree(timeouts)) return;
  const total = durationOf(timeouts.total);
  if (total === null) return;
  for (const part of ["connect", "firstByte", "betweenBytes"]) {
    const length = durationOf(timeouts[part]);
    if (length === null || length <= total) continue;
    const expected = `at most total (${String(timeouts.total)}), or it never runs out`;
    drafts.push(draft("error", [...path, part], "value", describeValue(timeouts[part]), expected));
  }
}

const durationOf = (value: unknown): number | null =>
  typeof value === "string" ? parseDuration(value) : null;

const sizeOf = (value: unknown): number | null =>
  typeof value === "string" ? parseSize(value) : null;

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function draft(
  severity: Draft["severity"],
  path: readonly PathStep[],
  at: Draft["at"],
  found: string,
  expected: string,
  fix?: string,
): Draft {
  return { severity, path, at, found, expected, ...(fix !== undefined && { fix }) };
}
