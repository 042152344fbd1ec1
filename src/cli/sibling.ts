import { extname } from "node:path";

/**
 * The file of a module beside this one, for a thread or process that starts there. A checkout runs
 * `.ts`, the published package the `.js` that was built from it, so the extension is this file's own.
 */
export function sibling(name: string): URL {
  return new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
}
