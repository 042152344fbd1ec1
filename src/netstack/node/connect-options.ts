import type { LookupFunction } from "./lookup.ts";
import { readPort, usageError } from "./socket-error.ts";

/** What `net.Socket` takes; what it knows beyond is ignored. */
export interface SocketOptions {
  /** False, the default: the socket ends itself when the peer has. */
  readonly allowHalfOpen?: boolean | undefined;
  readonly highWaterMark?: number | undefined;
  /** Destroys the socket with an ABORT_ERR. */
  readonly signal?: AbortSignal | undefined;
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  /** Milliseconds. */
  readonly keepAliveInitialDelay?: number | undefined;
}

/** What `net.connect` takes, and http's agents hand on. */
export interface ConnectOptions extends SocketOptions {
  readonly port: number | string;
  /** A name or an address, with a zone where it needs one; `localhost` where left out. */
  readonly host?: string | null | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly family?: number | undefined;
  readonly hints?: number | undefined;
  readonly lookup?: LookupFunction | undefined;
  /** Milliseconds without a byte until `timeout` is emitted. */
  readonly timeout?: number | undefined;
  /** Try all addresses of a name, one after the other (default), or the first alone. */
  readonly autoSelectFamily?: boolean | undefined;
  /** Milliseconds that an address has before the next is tried; the last one has no limit. */
  readonly autoSelectFamilyAttemptTimeout?: number | undefined;
}

type Listener = () => void;

/** The forms of `net.connect`: `(options, listener)`, `(port, host, listener)`. */
export function readConnectArguments(
  args: readonly unknown[],
): readonly [options: ConnectOptions, listener: Listener | null] {
  const last = args.at(-1);
  const listener = typeof last === "function" ? (last as Listener) : null;
  const [first, second] = args;
  if (typeof first === "object" && first !== null) {
    return [checked(first as ConnectOptions & PathOption), listener];
  }
  if (typeof first === "string" && !/^\d+$/.test(first.trim())) throw noPaths();
  const host = typeof second === "string" ? { host: second } : {};
  return [checked({ port: first as number, ...host }), listener];
}

interface PathOption {
  readonly path?: string | null;
}

function checked(options: ConnectOptions & PathOption): ConnectOptions {
  if (typeof options.path === "string" && options.port === undefined) throw noPaths();
  if (options.port === undefined || options.port === null) {
    throw usageError(
      "ERR_MISSING_ARGS",
      'The "options" or "port" argument must be specified',
      TypeError,
    );
  }
  return { ...options, port: readPort(options.port) };
}

export const noPaths = (): Error =>
  usageError("ERR_INVALID_ARG_VALUE", "A network stack has no Unix sockets", TypeError);
