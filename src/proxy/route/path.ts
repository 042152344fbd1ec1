/**
 * The form of a path that routes are compared with, as nginx compares locations: escapes of unreserved
 * characters decoded and the others in capitals (RFC 3986 §6.2.2), runs of "/" taken as one, "." and
 * ".." resolved. Only for matching and rewriting: an unrewritten target goes out as it was received.
 *
 * Returns null for what no route should see and what is answered 400: a path that climbs above the root,
 * a broken escape, an encoded NUL, and dot segments in disguise, which an origin might resolve although
 * the routes did not: "..;x", and ".." beside "%2F" or a backslash.
 *
 * A path without any of that comes back as it is, without an allocation. What does not start with "/"
 * (the "*" of OPTIONS, the authority of CONNECT) is left alone; no path condition matches it.
 */
export function normalizePath(raw: string): string | null {
  return isPlain(raw) ? raw : resolve(raw);
}

/** Whether there is nothing in a path that could be read in two ways: it is in normal form. */
export function isPlain(raw: string): boolean {
  if (raw.charCodeAt(0) !== SLASH) return true;
  let previous = 0;
  for (let i = 0; i < raw.length; i++) {
    const c = raw.charCodeAt(i);
    if (c === PERCENT || c === BACKSLASH || (previous === SLASH && (c === SLASH || c === DOT))) {
      return false;
    }
    previous = c;
  }
  return true;
}

/**
 * A path in normal form as origins see it that take an encoded slash or backslash for a separator: nginx
 * does with the one, parsers of WHATWG URLs with the other. Dot segments cannot come of that.
 */
export function withSeparatorsDecoded(path: string): string {
  return path.replace(/\/?(?:%2F|%5C)(?:%2F|%5C|\/)*/g, "/");
}

const SLASH = 0x2f;
const PERCENT = 0x25;
const BACKSLASH = 0x5c;
const DOT = 0x2e;

function resolve(raw: string): string | null {
  const decoded = decodeUnreserved(raw);
  if (decoded === null) return null;
  const kept: string[] = [];
  let open = false;
  for (const segment of decoded.split("/").slice(1)) {
    open = segment === "" || segment === "." || segment === "..";
    if (segment === "..") {
      if (kept.pop() === undefined) return null;
    } else if (!open) {
      if (isDisguised(segment)) return null;
      kept.push(segment);
    }
  }
  // "/a/", "/a/." and "/a/b/.." all name the folder: they end in a slash.
  return open && kept.length > 0 ? `/${kept.join("/")}/` : `/${kept.join("/")}`;
}

/** The path with unreserved characters decoded and all else escaped once, in capitals. */
function decodeUnreserved(raw: string): string | null {
  if (!/[%\\]/.test(raw)) return raw;
  if (/%(?![0-9A-Fa-f]{2})|%00/.test(raw)) return null;
  return raw.replaceAll("\\", "%5C").replace(/%[0-9A-Fa-f]{2}/g, (encoded) => {
    const c = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(c) ? c : encoded.toUpperCase();
  });
}

/** Whether some origins read a dot segment here: after path parameters, or after decoding once more. */
function isDisguised(segment: string): boolean {
  if (!segment.includes(".")) return false;
  return segment.split(/%2F|%5C/).some((part) => /^\.\.?(;|%3B|$)/.test(part));
}
