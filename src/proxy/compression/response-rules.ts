import type { DecodedCoding } from "../../compression/codec.ts";
import { codingName } from "../../http/content-coding.ts";
import { holdsWeakened, weakenedTag } from "../../http/entity-tag.ts";
import type { Fields } from "../../http/fields.ts";
import type { RequestHead, ResponseHead } from "../../http/head.ts";
import { essence } from "../../http/media-type-set.ts";

/** What may be done to a response's body, and what its head says afterwards. Without I/O. */

const decodable: ReadonlySet<string> = new Set(["gzip", "br", "zstd", "deflate"]);

/** Fields that speak of the body's bytes, which are others after coding (RFC 9530; RFC 9110 §14.3:
 *  ranges of what is made on the fly cannot be had). */
const ofTheBytes = [
  "content-length",
  "accept-ranges",
  "content-md5",
  "digest",
  "content-digest",
  "repr-digest",
];

/** Trailer fields that are wrong after coding. */
export const digestTrailers = ["content-md5", "digest", "content-digest", "repr-digest"];

/**
 * Whether there is a body that may be coded anew, or for HEAD would be. Not a part of one (206,
 * Content-Range), nothing empty, and nothing under no-transform, whichever side said it (RFC 9110 §7.7,
 * RFC 9111 §5.2.1.6).
 */
export function mayTransform(request: RequestHead, response: ResponseHead): boolean {
  const { status, fields } = response;
  if (status < 200 || status === 204 || status === 205 || status === 206 || status === 304) {
    return false;
  }
  if (response.framing === "tunnel") return false;
  if (response.framing === "none" && request.method !== "HEAD") return false;
  if (announcedLength(response) === 0 || fields.has("content-range")) return false;
  return !hasDirective(fields, "no-transform") && !hasDirective(request.fields, "no-transform");
}

/** Content-Length, also of a response to HEAD; -1 for none. */
export function announcedLength(response: ResponseHead): number {
  const text = response.fields.get("content-length");
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : -1;
}

/** The coding that a body is in; "identity" for none, "other" for several or one that is unknown. */
export function codingOf(response: ResponseHead): DecodedCoding | "identity" | "other" {
  const header = response.fields.get("content-encoding");
  if (header === undefined) return "identity";
  const coding = codingName(header);
  if (coding === "identity" || coding === "") return "identity";
  return decodable.has(coding) ? (coding as DecodedCoding) : "other";
}

/** The head of a body that is coded anew; "identity" for one that is decoded. */
export function announceCoding({ fields }: ResponseHead, coding: string): void {
  if (coding === "identity") fields.delete("content-encoding");
  else fields.set("Content-Encoding", coding);
  for (const name of ofTheBytes) fields.delete(name);
  const tag = fields.get("etag");
  if (tag === undefined) return;
  const weak = weakenedTag(tag);
  if (weak !== tag) fields.set("ETag", weak);
}

/** Tells caches that what is served depends on what is accepted (RFC 9110 §12.5.5). */
export function addVary({ fields }: ResponseHead): void {
  const names = fields.get("vary")?.toLowerCase().split(",") ?? [];
  if (names.some((name) => name.trim() === "*" || name.trim() === "accept-encoding")) return;
  fields.append("Vary", "Accept-Encoding");
}

/** A 304 for a body that the client holds in a coding of ours speaks of it by the tag that we gave it
 *  (RFC 9110 §15.4.5: the fields are those of the 200). */
export function answerNotModified(request: RequestHead, response: ResponseHead): void {
  const tag = response.fields.get("etag");
  if (tag === undefined || !holdsWeakened(request.fields.get("if-none-match"), tag)) return;
  response.fields.set("ETag", weakenedTag(tag));
  addVary(response);
}

/** gRPC codes its messages one by one, and each is news: whatever its suffix, the stream is left alone. */
export function isGrpc(response: ResponseHead): boolean {
  const type = response.fields.get("content-type");
  return type !== undefined && essence(type).startsWith("application/grpc");
}

/** Server-sent events: each piece is news, and is passed on by itself. */
export function isEventStream(response: ResponseHead): boolean {
  const type = response.fields.get("content-type");
  return type !== undefined && essence(type) === "text/event-stream";
}

function hasDirective(fields: Fields, directive: string): boolean {
  const members = fields.get("cache-control")?.split(",") ?? [];
  return members.some((member) => member.trim().toLowerCase() === directive);
}
