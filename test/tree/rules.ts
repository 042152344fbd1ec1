import type { SourceFile } from "./sources.ts";

/** Which layer may import which: the table of the design. A layer may always import itself. */
export const arrows: Readonly<Record<string, readonly string[]>> = {
  core: [],
  native: ["core"],
  wire: ["core"],
  netstack: ["core", "wire"],
  http: ["core"],
  grpc: ["core", "http"],
  compression: ["core"],
  tls: ["core", "native"],
  acme: ["core"],
  quic: ["core", "tls"],
  dns: ["core", "wire"],
  proxy: ["core", "http", "grpc", "compression", "tls", "dns"],
  gateway: ["core", "wire", "netstack", "proxy", "dns"],
  telemetry: ["core", "wire"],
  drivers: ["core", "native", "wire", "netstack"],
  config: ["core", "acme", "proxy", "gateway", "http", "grpc"],
  cli: [
    "core",
    "native",
    "wire",
    "netstack",
    "http",
    "grpc",
    "compression",
    "tls",
    "acme",
    "quic",
    "dns",
    "proxy",
    "gateway",
    "telemetry",
    "drivers",
    "config",
  ],
};

/** The layer of a file under src; "entry" for a file right in it. */
export function layerOf(path: string): string {
  const parts = path.split("/");
  return parts.length > 2 ? parts[1]! : "entry";
}

/** Imports across layers that the table does not have, as "file → file". */
export function forbiddenArrows(files: readonly SourceFile[]): readonly string[] {
  const wrong: string[] = [];
  for (const { path, imports } of files) {
    const layer = layerOf(path);
    for (const { file } of imports) {
      if (file === null || layer === "entry") continue;
      const target = layerOf(file);
      if (target !== layer && !arrows[layer]?.includes(target)) wrong.push(`${path} → ${file}`);
    }
  }
  return wrong;
}

/**
 * Import cycles between files, each as "a → b → a". Types do not count: two files may speak of each
 * other's shapes, but none may need the other to be loaded first.
 */
export function cycles(files: readonly SourceFile[]): readonly string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      found.push([...trail.slice(at), path].join(" → "));
      return;
    }
    if (done.has(path)) return;
    for (const { file, typeOnly } of byPath.get(path)?.imports ?? []) {
      if (file !== null && !typeOnly) visit(file, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return found;
}

/** Layers that may touch the world. */
const worldly = new Set(["drivers", "native", "cli"]);

const worldModules =
  /^(node:)?(net|dgram|dns|dns\/promises|http|https|http2|tls|fs|fs\/promises|child_process|cluster|worker_threads|timers|timers\/promises|crypto|perf_hooks|os|process|inspector|module)$/;

const worldCalls: readonly (readonly [name: string, form: RegExp])[] = [
  ["Date.now", /\bDate\s*\.\s*now\b/],
  ["new Date()", /\bnew\s+Date\s*\(\s*\)/],
  ["performance.now", /\bperformance\s*\.\s*now\b/],
  ["process.hrtime", /\bprocess\s*\.\s*hrtime\b/],
  ["Math.random", /\bMath\s*\.\s*random\b/],
  ["crypto random", /\b(getRandomValues|randomUUID|randomBytes|randomInt)\b/],
  // A member of that name is none: `socket.setTimeout(5)`, or its declaration, `setTimeout(msecs: number)`.
  [
    "a timer",
    /(?<!(?<!\bglobalThis)\.)\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b(?!\s*\(\s*\w+\??\s*:)/,
  ],
  ["process.nextTick", /\bprocess\s*\.\s*nextTick\b/],
];

/** Clocks, timers, chance and I/O outside the layers that own them, as "file: what". */
export function worldOutside(files: readonly SourceFile[]): readonly string[] {
  const wrong: string[] = [];
  for (const { path, code, imports } of files) {
    if (worldly.has(layerOf(path))) continue;
    for (const { specifier } of imports) {
      if (worldModules.test(specifier)) wrong.push(`${path}: ${specifier}`);
    }
    for (const [name, form] of worldCalls) if (form.test(code)) wrong.push(`${path}: ${name}`);
  }
  return wrong;
}

/** Files that import a package and are not in the folder that owns it. */
export function packageOutside(
  files: readonly SourceFile[],
  name: string,
  folder: string,
): readonly string[] {
  return files
    .filter(({ path }) => !path.startsWith(folder))
    .filter(({ imports }) =>
      imports.some(({ specifier }) => specifier === name || specifier.startsWith(`${name}/`)),
    )
    .map(({ path }) => path);
}

/** An index of something is a thing with a name; a file called only that is a barrel. */
const vagueNames = /((^|[-/])(utils?|helpers?|commons?|managers?|misc)|(^|\/)index)(\.|$)/;

/** Files and folders with names that say nothing, and entries that would be barrels. */
export const vaguelyNamed = (files: readonly SourceFile[]): readonly string[] =>
  files
    .map(({ path }) => path)
    .filter((path) => path.split("/").some((part) => vagueNames.test(part)));

/** Files longer than that, as "file: lines". */
export const longerThan = (files: readonly SourceFile[], lines: number): readonly string[] =>
  files
    .map(({ path, text }) => ({ path, length: text.trimEnd().split("\n").length }))
    .filter(({ length }) => length > lines)
    .map(({ path, length }) => `${path}: ${length} lines`);
