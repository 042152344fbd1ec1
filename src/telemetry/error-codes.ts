import type { ErrorCode, ErrorSource } from "../core/errors.ts";

/** Every code, as values: counters are indexed by it. The compiler finds a code that is missing here. */
const positions: Readonly<Record<ErrorCode, true>> = {
  ECONNREFUSED: true,
  ECONNRESET: true,
  ETIMEDOUT: true,
  EHOSTUNREACH: true,
  ENETUNREACH: true,
  EADDRINUSE: true,
  EMSGSIZE: true,
  EADDRNOTAVAIL: true,
  EACCES: true,
  EPIPE: true,
  EMFILE: true,
  ENOENT: true,
  EINVAL: true,
  ESOCKET: true,
  ENOTFOUND: true,
  ABORTED: true,
  CONNECT_TIMEOUT: true,
  HEAD_TIMEOUT: true,
  BODY_TIMEOUT: true,
  FIRST_BYTE_TIMEOUT: true,
  BETWEEN_BYTES_TIMEOUT: true,
  TOTAL_TIMEOUT: true,
  WRITE_TIMEOUT: true,
  TLS_HANDSHAKE: true,
  TLS_CERTIFICATE: true,
  TLS_PROTOCOL: true,
  TLS_TRUNCATED: true,
  TLS_TIMEOUT: true,
  PLAIN_ON_TLS: true,
  MALFORMED_MESSAGE: true,
  HEAD_TOO_LARGE: true,
  TARGET_TOO_LONG: true,
  BODY_TOO_LARGE: true,
  UNSUPPORTED: true,
  PREMATURE_CLOSE: true,
  NO_ROUTE: true,
  NO_ENDPOINT: true,
  CONNECTION_LIMIT: true,
  HOOK_FAILED: true,
  DRAINING: true,
  INTERNAL: true,
};

export const ERROR_CODES = Object.keys(positions) as readonly ErrorCode[];
export const ERROR_SOURCES: readonly ErrorSource[] = ["downstream", "upstream", "internal"];

/** Slots of a table of errors by source and code. */
export const ERROR_SLOTS = ERROR_CODES.length * ERROR_SOURCES.length;

const indexOfCode = new Map<string, number>(ERROR_CODES.map((code, i) => [code, i]));
const indexOfSource = new Map<string, number>(ERROR_SOURCES.map((source, i) => [source, i]));

/** Where (code, source) stands in such a table; what is unknown counts as INTERNAL, internal. */
export function errorSlot(code: string, source: string): number {
  const c = indexOfCode.get(code) ?? ERROR_CODES.indexOf("INTERNAL");
  const s = indexOfSource.get(source) ?? ERROR_SOURCES.indexOf("internal");
  return s * ERROR_CODES.length + c;
}
