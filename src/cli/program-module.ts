import { pathToFileURL } from "node:url";
import { resolveToThisPackage } from "./self-resolve.ts";

let hooked = false;

/** The default export of a user's program. Throws what importing it throws. */
export async function importModule(file: string): Promise<unknown> {
  if (!hooked) resolveToThisPackage();
  hooked = true;
  const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  return module.default;
}
