import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { extname } from "node:path";

/**
 * Makes `import … from "millrace"` in a user's program mean the package that runs it, wherever the
 * program lies: beside a `node_modules` with Millrace, with a global installation, or in a checkout
 * whose `dist` was never built. So there is never a second copy of the library in the process.
 */
export function resolveToThisPackage(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const own = ownModule(specifier);
      if (own === null) return nextResolve(specifier, context);
      return { url: own, shortCircuit: true };
    },
  });
}

/** The file of `millrace` or `millrace/LAYER`, or null for another package or an unknown layer. */
export function ownModule(specifier: string): string | null {
  if (specifier !== "millrace" && !specifier.startsWith("millrace/")) return null;
  const layer = specifier.slice("millrace/".length);
  if (!/^([a-z0-9]+(\/[a-z0-9]+)?)?$/.test(layer)) return null;
  const file = layer === "" ? "millrace" : `${layer}/public`;
  const url = new URL(`../${file}${extname(import.meta.url)}`, import.meta.url);
  return existsSync(url) ? url.href : null;
}
