import { type ErrorCode, type ErrorSource, NetError, type Retry } from "../../core/errors.ts";

/** Codes of Node and libuv that keep their name, and those that have another of ours. */
const CODES: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ["ECONNREFUSED", "ECONNREFUSED"],
  ["ECONNRESET", "ECONNRESET"],
  ["ECONNABORTED", "ECONNRESET"],
  ["ETIMEDOUT", "ETIMEDOUT"],
  ["EHOSTUNREACH", "EHOSTUNREACH"],
  ["ENETUNREACH", "ENETUNREACH"],
  ["EADDRINUSE", "EADDRINUSE"],
  ["EADDRNOTAVAIL", "EADDRNOTAVAIL"],
  ["EACCES", "EACCES"],
  ["EPERM", "EACCES"],
  ["EPIPE", "EPIPE"],
  ["EMFILE", "EMFILE"],
  ["ENFILE", "EMFILE"],
  ["ENOENT", "ENOENT"],
  ["EINVAL", "EINVAL"],
  ["ENAMETOOLONG", "EINVAL"],
]);

/** An error of node:net as a NetError, such as "connect 10.0.0.1:80: ECONNREFUSED"; one of ours as it is. */
export function nodeError(
  cause: unknown,
  doing: string,
  source: ErrorSource,
  retry: Retry = "never",
): NetError {
  if (cause instanceof NetError) return cause;
  const given = codeIn(cause);
  const code = CODES.get(given) ?? "ESOCKET";
  return new NetError(code, `${doing}: ${given === "" ? code : given}`, { source, retry, cause });
}

function codeIn(cause: unknown): string {
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return "";
  return typeof cause.code === "string" ? cause.code : "";
}
