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
  const tls = tlsError(given, cause, source, retry);
  if (tls !== null) return tls;
  const code = CODES.get(given) ?? "ESOCKET";
  return new NetError(code, `${doing}: ${given === "" ? code : given}`, { source, retry, cause });
}

/** Codes by which node:tls says that OpenSSL does not accept a certificate. */
const CERTIFICATE_CODE = /CERT|ISSUER|CRL|LEAF_SIGNATURE|HOSTNAME_MISMATCH/;

/** An error of a TLS socket; null for all others. */
function tlsError(
  code: string,
  cause: unknown,
  source: ErrorSource,
  retry: Retry,
): NetError | null {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (CERTIFICATE_CODE.test(code)) {
    return new NetError("TLS_CERTIFICATE", `certificate: ${message}`, { source, retry, cause });
  }
  if (!/^ERR_(SSL|TLS)_/.test(code)) return null;
  const words = /routines:[^:]*:([^:]*)/.exec(message)?.[1] ?? message;
  return new NetError("TLS_HANDSHAKE", `TLS: ${words}`, { source, retry, cause });
}

function codeIn(cause: unknown): string {
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return "";
  return typeof cause.code === "string" ? cause.code : "";
}
