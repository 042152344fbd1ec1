import type { HttpBinding } from "./http-rule.ts";

const httpBody = "google.api.HttpBody";

/** Whether a request's body is taken as it is, whatever its type, into a google.api.HttpBody. */
export function takesRaw({ body, method }: HttpBinding): boolean {
  if (body === "none") return false;
  return (body === "all" ? method.input.typeName : body.message?.typeName) === httpBody;
}

/** application/json and any type with the suffix +json (RFC 6839 §3.1); parameters do not matter. */
const json = /^(?:application\/json|[\w!#$&^.+-]+\/[\w!#$&^.+-]+\+json)[ \t]*(?:;|$)/i;

/**
 * What about a request's body cannot be read: its coding, for none is undone here, or its type. Null for a
 * body of JSON, for one that does not say what it is (RFC 9110 §8.3), and where none is taken.
 */
export function unreadable(
  binding: HttpBinding,
  contentType: string | undefined,
  contentEncoding: string | undefined,
): "coding" | "type" | null {
  if (binding.body === "none") return null;
  if (contentEncoding !== undefined && !/^(?:identity)?$/i.test(contentEncoding)) return "coding";
  if (contentType === undefined || takesRaw(binding) || json.test(contentType)) return null;
  return "type";
}
