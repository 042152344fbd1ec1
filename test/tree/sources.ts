import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative, sep } from "node:path";

export const root = join(import.meta.dirname, "..", "..");

/** A source file with what it imports. */
export interface SourceFile {
  /** From the repository's root, with slashes: "src/core/time.ts". */
  readonly path: string;
  readonly text: string;
  /** `text` without comments. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export interface Import {
  readonly specifier: string;
  /** The file that a relative specifier names, as in `SourceFile.path`; null for packages. */
  readonly file: string | null;
  /** `import type` or `export type` in every place: gone when the code runs. */
  readonly typeOnly: boolean;
}

/** The TypeScript files under a folder of the repository. */
export function sourcesUnder(folder: string): readonly SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => !path.startsWith("bench/out/")) // What benchmarks leave behind.
    .toSorted()
    .map((path) => sourceFile(path, readFileSync(join(root, path), "utf8")));
}

export function sourceFile(path: string, text: string): SourceFile {
  const code = withoutComments(text);
  return { path, text, code, imports: importsOf(path, code) };
}

/** Tests and what serves tests alone. */
export const isTest = ({ path }: SourceFile): boolean =>
  /\.(test|fixture)\.ts$/.test(path) || path.includes("/testing/");

/** The specifier is the last group, a `type` that makes it vanish the one before. */
const importForms = [
  /^\s*(?:import|export)\s+(type\s)?[^"';]*?\bfrom\s*["']([^"']+)["']/gm,
  /^\s*import\s*()["']([^"']+)["']/gm,
  /\bimport\s*()\(\s*["']([^"']+)["']/g,
  /\bgetBuiltinModule\s*()\(\s*["']([^"']+)["']/g,
  /\brequire(?:\.resolve)?\s*()\(\s*["']([^"']+)["']/g,
];

function importsOf(path: string, code: string): readonly Import[] {
  const typeOnly = new Map<string, boolean>();
  for (const form of importForms) {
    for (const [, type, specifier] of code.matchAll(form)) {
      typeOnly.set(specifier!, Boolean(type) && (typeOnly.get(specifier!) ?? true));
    }
  }
  return [...typeOnly].map(([specifier, only]) => ({
    specifier,
    typeOnly: only,
    file: specifier.startsWith(".")
      ? normalize(join(dirname(path), specifier))
          .split(sep)
          .join("/")
      : null,
  }));
}

/** The text with comments blanked out; strings, templates and regular expressions stay. */
export function withoutComments(text: string): string {
  const token =
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return text.replace(token, (found) =>
    found.startsWith("/*") || found.startsWith("//") ? found.replaceAll(/[^\n]/g, " ") : found,
  );
}
