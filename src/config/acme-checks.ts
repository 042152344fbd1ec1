import type { Draft, PathStep } from "./problem.ts";
import { splitScheme } from "./scalars.ts";

type Tree = Readonly<Record<string, unknown>>;

/** What `acme` of some listener needs of the others, and of its own names. */
export function checkAcme(listeners: readonly unknown[], drafts: Draft[]): void {
  const plain = listeners.some((listener) => isTree(listener) && hasPlainPlace(listener));
  for (const [i, listener] of listeners.entries()) {
    if (!isTree(listener) || !isTree(listener.tls) || !isTree(listener.tls.acme)) continue;
    const path = ["listeners", i, "tls", "acme"];
    checkNames(listener.tls.acme, path, drafts);
    if (listener.tls.acme.challenge !== "http-01" || plain) continue;
    drafts.push({
      severity: "error",
      path: [...path, "challenge"],
      at: "value",
      found: '"http-01" where no listener speaks plain HTTP',
      expected: 'a listener in plain at port 80, or "tls-alpn-01"',
    });
  }
}

/** Each order is for its own names: the same name twice would be two certificates for it. */
function checkNames({ names }: Tree, path: readonly PathStep[], drafts: Draft[]): void {
  if (!Array.isArray(names)) return;
  const seen = new Set<string>();
  for (const [i, entry] of names.entries()) {
    for (const name of Array.isArray(entry) ? entry : [entry]) {
      if (typeof name !== "string") continue;
      const lower = name.toLowerCase();
      if (seen.has(lower)) {
        drafts.push({
          severity: "error",
          path: [...path, "names", i],
          at: "value",
          found: `"${name}" for a second time`,
          expected: "each name once",
        });
      }
      seen.add(lower);
    }
  }
}

function hasPlainPlace({ listen, tls }: Tree): boolean {
  const places: readonly unknown[] = Array.isArray(listen) ? listen : [listen];
  return places.some((place) => {
    if (typeof place !== "string") return false;
    const { scheme } = splitScheme(place);
    return scheme === "http" || (scheme === null && tls === undefined);
  });
}

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);
