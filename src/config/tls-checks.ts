import { type Draft, describeValue, type PathStep } from "./problem.ts";
import { splitScheme } from "./scalars.ts";

type Tree = Readonly<Record<string, unknown>>;

/** Certificates come from somewhere. */
function checkSource(tls: Tree, path: readonly PathStep[], drafts: Draft[]): void {
  const passed = Array.isArray(tls.passthrough) && tls.passthrough.length > 0;
  if (tls.certificates !== undefined || tls.acme !== undefined || passed) return;
  drafts.push({
    severity: "error",
    path,
    at: "key",
    found: "tls without a certificate",
    expected: "`certificates`, or `acme`, which gets them",
    fix: "Write certificates: [{ cert: FILE, key: FILE }] in it.",
  });
}

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Schemes and `tls` of a listener have to agree. */
export function checkListenerTls(listener: Tree, path: readonly PathStep[], drafts: Draft[]): void {
  const { listen, tls } = listener;
  if (isTree(tls)) checkSource(tls, [...path, "tls"], drafts);
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
