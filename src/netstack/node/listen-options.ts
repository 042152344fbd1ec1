import { noPaths } from "./connect-options.ts";
import { readPort, usageError } from "./socket-error.ts";

export interface ListenOptions {
  readonly port?: number | string | undefined;
  /** Where left out: every address, of both versions. */
  readonly host?: string | undefined;
  readonly backlog?: number | undefined;
  readonly ipv6Only?: boolean | undefined;
  /** Several servers share the address, and connections are spread over them. */
  readonly reusePort?: boolean | undefined;
  /** Closes the server. */
  readonly signal?: AbortSignal | undefined;
}

type Listener = () => void;

interface Unserved {
  readonly path?: unknown;
  readonly fd?: unknown;
}

/**
 * The forms of `server.listen`: `(port, host, backlog, listener)` with any of them left out, and
 * `(options, listener)`. A port of 0 or none is chosen.
 */
export function readListenArguments(
  args: readonly unknown[],
): readonly [options: ListenOptions & { readonly port: number }, listener: Listener | null] {
  const last = args.at(-1);
  const listener = typeof last === "function" ? (last as Listener) : null;
  const [first, second, third] = args;
  if (typeof first === "object" && first !== null) return [fromObject(first), listener];
  if (typeof first === "string" && !/^\d+$/.test(first.trim())) throw noPaths();
  const absent = first === undefined || first === null || typeof first === "function";
  const backlog = typeof second === "number" ? second : third;
  const options = {
    port: absent ? 0 : readPort(first, "options.port"),
    ...(typeof second === "string" ? { host: second } : {}),
    ...(typeof backlog === "number" ? { backlog } : {}),
  };
  return [options, listener];
}

function fromObject(given: ListenOptions & Unserved): ListenOptions & { readonly port: number } {
  if (given.path !== undefined || given.fd !== undefined) throw noPaths();
  if (!("port" in given)) {
    const text = "The argument 'options' must have the property \"port\"";
    throw usageError("ERR_INVALID_ARG_VALUE", text, TypeError);
  }
  const { port } = given;
  return {
    ...given,
    port: port === undefined || port === null ? 0 : readPort(port, "options.port"),
  };
}
