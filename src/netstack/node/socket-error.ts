import type { ErrorCode, NetError } from "../../core/errors.ts";

/** An error as Node's sockets have it: `connect ECONNREFUSED 10.0.0.1:80`. */
export interface SocketError extends Error {
  code: string;
  /** The negative number that Linux, or libuv, has for the code. */
  errno?: number;
  syscall?: string;
  address?: string;
  port?: number;
  hostname?: string;
}

/** What an error is about. */
export interface ErrorPlace {
  readonly address?: string;
  readonly port?: number;
  /** Where the socket was bound to by its user: `10.0.0.2:5000`. */
  readonly local?: string;
  readonly cause?: unknown;
}

/** Linux's numbers, negated; those of getaddrinfo are libuv's. */
const ERRNO: Readonly<Record<string, number>> = {
  EACCES: -13,
  EADDRINUSE: -98,
  EADDRNOTAVAIL: -99,
  ECONNABORTED: -103,
  ECONNREFUSED: -111,
  ECONNRESET: -104,
  EHOSTUNREACH: -113,
  EINVAL: -22,
  EMFILE: -24,
  EMSGSIZE: -90,
  ENETUNREACH: -101,
  ENOBUFS: -105,
  ENODEV: -19,
  ENOTFOUND: -3008,
  ENOTSUP: -95,
  EPIPE: -32,
  ETIMEDOUT: -110,
};

/** libuv's words, which `listen` puts into its messages. */
const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "address not available",
  EMFILE: "too many open files",
};

/** The code that Node's sockets have for one of ours. */
export function nodeCode(code: ErrorCode): string {
  switch (code) {
    case "CONNECT_TIMEOUT":
      return "ETIMEDOUT";
    case "ABORTED":
      return "ECONNABORTED";
    default:
      return code;
  }
}

export function systemError(code: string, syscall: string, place: ErrorPlace = {}): SocketError {
  const { address, port = 0, local, cause } = place;
  const where = address === undefined ? "" : port > 0 ? ` ${address}:${port}` : ` ${address}`;
  const words = syscall === "listen" && WORDS[code] !== undefined ? `: ${WORDS[code]}` : "";
  const from = local === undefined ? "" : ` - Local (${local})`;
  const error = new Error(
    `${syscall} ${code}${words}${where}${from}`,
    cause === undefined ? undefined : { cause },
  );
  return Object.assign(error, {
    ...(ERRNO[code] === undefined ? {} : { errno: ERRNO[code] }),
    code,
    syscall,
    ...(address === undefined ? {} : { address }),
    ...(address === undefined || port === 0 ? {} : { port }),
  });
}

/** The error of a connection that stood. */
export const readError = (cause: NetError): SocketError =>
  systemError(nodeCode(cause.code), "read", { cause });

export const notFound = (hostname: string, cause?: unknown): SocketError =>
  Object.assign(lookupError("ENOTFOUND", hostname, cause), { hostname });

export function lookupError(code: string, hostname: string, cause?: unknown): SocketError {
  const place = cause === undefined ? {} : { cause };
  const error = systemError(code, "getaddrinfo", place);
  error.message = `${error.message} ${hostname}`;
  return error;
}

/** An error of usage, with one of Node's own codes: `ERR_SERVER_NOT_RUNNING`. */
export function usageError(
  code: string,
  message: string,
  Kind: new (message: string) => Error = Error,
): SocketError {
  return Object.assign(new Kind(message), { code });
}

/** A port as Node takes it: a number, or its decimal text. Throws ERR_SOCKET_BAD_PORT. */
export function readPort(value: unknown, name = "Port", least = 0): number {
  const text = typeof value === "string" ? value.trim() : value;
  const port = typeof text === "number" ? text : text === "" ? Number.NaN : Number(text);
  if (
    (typeof text === "number" || typeof text === "string") &&
    Number.isInteger(port) &&
    port >= least &&
    port <= 65_535
  ) {
    return port;
  }
  throw usageError(
    "ERR_SOCKET_BAD_PORT",
    `${name} should be ${least === 0 ? ">=" : ">"} 0 and < 65536. Received ${String(value)}.`,
    RangeError,
  );
}
