import type { Fields } from "../fields.ts";

/**
 * Fields that have no place in trailers (RFC 9110 §6.5.1): they frame or route the message, change how
 * it is taken, authenticate, or say how content is to be read. A recipient that merged them late would
 * be led astray.
 */
const FORBIDDEN: ReadonlySet<string> = new Set([
  "age",
  "authorization",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "date",
  "expect",
  "expires",
  "forwarded",
  "host",
  "http2-settings",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "keep-alive",
  "location",
  "max-forwards",
  "pragma",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "range",
  "retry-after",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "vary",
  "via",
  "warning",
  "www-authenticate",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
]);

/** Removes from received trailers what has no place there. */
export function dropForbiddenTrailers(trailers: Fields): void {
  for (let i = 0; i < trailers.count; i++) {
    if (FORBIDDEN.has(trailers.name(i).toLowerCase())) trailers.remove(i);
  }
}
