import { type ErrorCode, type ErrorSource, NetError, type Retry } from "../core/errors.ts";

/** Error numbers of Linux, the same on x64 and arm64 (asm-generic/errno-base.h, errno.h). */
export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const EIO = 5;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EBUSY = 16;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const EPIPE = 32;
export const ENAMETOOLONG = 36;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ENETDOWN = 100;
export const ENETUNREACH = 101;
export const ECONNABORTED = 103;
export const ECONNRESET = 104;
export const ENOBUFS = 105;
export const ETIMEDOUT = 110;
export const ECONNREFUSED = 111;
export const EHOSTUNREACH = 113;
export const EINPROGRESS = 115;

const CODES: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [EPERM, "EACCES"],
  [ENOENT, "ENOENT"],
  // A connect to a Unix socket whose backlog is full: nobody takes the connection now.
  [EAGAIN, "ECONNREFUSED"],
  [EACCES, "EACCES"],
  [EBUSY, "EADDRINUSE"],
  [ENODEV, "ENOENT"],
  [EINVAL, "EINVAL"],
  [ENAMETOOLONG, "EINVAL"],
  [ENFILE, "EMFILE"],
  [EMFILE, "EMFILE"],
  [EPIPE, "EPIPE"],
  [EADDRINUSE, "EADDRINUSE"],
  [EADDRNOTAVAIL, "EADDRNOTAVAIL"],
  [ENETUNREACH, "ENETUNREACH"],
  [ECONNABORTED, "ECONNRESET"],
  [ECONNRESET, "ECONNRESET"],
  [ETIMEDOUT, "ETIMEDOUT"],
  [ECONNREFUSED, "ECONNREFUSED"],
  [EHOSTUNREACH, "EHOSTUNREACH"],
]);

/** The stable code of an error number; `ESOCKET` for those that have none of their own. */
export const codeOf = (errno: number): ErrorCode => CODES.get(errno) ?? "ESOCKET";

/**
 * A failed system call as a NetError, such as "connect 10.0.0.1:80: ECONNREFUSED". The number itself
 * is in the message where the code does not name it.
 */
export function systemError(
  errno: number,
  doing: string,
  source: ErrorSource,
  retry: Retry = "never",
): NetError {
  const code = codeOf(errno);
  const what = code === "ESOCKET" ? `errno ${errno}` : code;
  return new NetError(code, `${doing}: ${what}`, { source, retry });
}
