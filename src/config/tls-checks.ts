import { type Draft, describeValue, type PathStep } from "./problem.ts";
import { splitScheme } from "./scalars.ts";

type Tree = Readonly<Record<string, unknown>>;

/** Schemes and `tls` of a listener have to agree. */
export function checkListenerTls(listener: Tree, path: readonly PathStep[], drafts: Draft[]): void {
  const { listen, tls } = listener;
  const many = Array.isArray(listen);
  const places: readonly unknown[] = many ? listen : [listen];
  const schemes = places.map((place) =>
    typeof place === "string" ? splitScheme(place).scheme : null,
  );
  if (tls !== undefined) {
    if (!schemes.every((scheme) => scheme === "http")) return;
    drafts.push({
      severity: "warning",
      path: [...path, "tls"],
      at: "key",
      found: "tls where every address begins with http://",
      expected: "an address that begins with https://",
    });
    return;
  }
  const first = schemes.indexOf("https");
  if (first < 0) return;
  drafts.push({
    severity: "error",
    path: [...path, "listen", ...(many ? [first] : [])],
    at: "value",
    found: `${describeValue(places[first])} without a certificate`,
    expected: "`tls` beside it",
    fix: "Write tls: { certificates: [{ cert: FILE, key: FILE }] }.",
  });
}
