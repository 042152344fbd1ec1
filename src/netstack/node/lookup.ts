import { parseIp } from "../../core/address.ts";
import type { InterfaceAddress } from "../address-table.ts";
import { orderDestinations } from "../ip/destination-ordering.ts";
import { Ip } from "../ip-address.ts";
import type { Stack } from "../stack.ts";
import { soon } from "./face.ts";
import { readHost, versionOf } from "./host-address.ts";
import { lookupError, notFound, type SocketError, usageError } from "./socket-error.ts";

export interface LookupAddress {
  address: string;
  family: number;
}

/** As `dns.lookup` has them; `hints` are taken and ignored. */
export interface LookupOptions {
  readonly family?: number | "IPv4" | "IPv6" | undefined;
  readonly all?: boolean | undefined;
  readonly hints?: number | undefined;
  readonly order?: "ipv4first" | "ipv6first" | "verbatim" | undefined;
  /** The older way to say `order`: false is `ipv4first`. */
  readonly verbatim?: boolean | undefined;
}

/** With `all`, `address` is a list. */
export type LookupCallback = (
  error: Error | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** Of Node's shape, so that either may stand for the other. */
export type LookupFunction = (
  hostname: string,
  options: LookupOptions,
  callback: LookupCallback,
) => void;

/**
 * Where names come from that the hosts table does not have: a resolver. Gives addresses in text, or an
 * empty list where there are none; rejects where it could not find out, and its error's `code` is told.
 */
export type Resolve = (name: string, family: 0 | 4 | 6) => Promise<readonly string[]>;

export type HostsTable = Readonly<Record<string, readonly string[]>>;

/** RFC 6761 §6.3: this host, whatever a resolver would say. */
const LOCALHOST = ["127.0.0.1", "::1"];

/** Names of one stack: literals, `localhost`, a hosts table, then a resolver. */
export class Names {
  readonly #stack: Stack;
  readonly #hosts = new Map<string, readonly string[]>();
  readonly #resolve: Resolve | null;

  constructor(stack: Stack, hosts: HostsTable, resolve: Resolve | null) {
    this.#stack = stack;
    this.#resolve = resolve;
    for (const [name, addresses] of Object.entries(hosts)) {
      for (const address of addresses) {
        if (parseIp(address) === null) throw new TypeError(`${name}: no address: ${address}`);
      }
      this.#hosts.set(canonical(name), addresses);
    }
  }

  /** The callback is never called within the call. */
  lookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
    if (!hostname) {
      soon(() => answer(null, [], options, callback));
      return;
    }
    if (readHost(this.#stack, hostname) !== null) {
      soon(() => answer(null, [hostname], options, callback));
      return;
    }
    const family = versionOf(options.family);
    this.#addresses(canonical(hostname), family).then(
      (found) => {
        const fit = this.#ordered(found, family, options);
        answer(fit.length === 0 ? notFound(hostname) : null, fit, options, callback);
      },
      (error: unknown) => answer(failure(hostname, error), [], options, callback),
    );
  }

  async #addresses(name: string, family: 0 | 4 | 6): Promise<readonly string[]> {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    if (name === "localhost" || name.endsWith(".localhost")) return LOCALHOST;
    return this.#resolve === null ? [] : this.#resolve(name, family);
  }

  /** Those of the family, by RFC 6724; then by `order`. */
  #ordered(found: readonly string[], family: 0 | 4 | 6, options: LookupOptions): string[] {
    const ips = found
      .map((text) => Ip.parse(text))
      .filter((ip) => ip !== null)
      .filter(({ version }) => family === 0 || version === family);
    const sorted = orderDestinations(ips, (ip) => this.#sourceFor(ip));
    const order = options.order ?? (options.verbatim === false ? "ipv4first" : "verbatim");
    if (order !== "verbatim") {
      const first = order === "ipv4first" ? 4 : 6;
      sorted.sort((a, b) => Number(b.version === first) - Number(a.version === first));
    }
    return sorted.map(String);
  }

  #sourceFor(destination: Ip): InterfaceAddress | null {
    const path = this.#stack.ip.resolve(destination);
    if (typeof path === "string") return null;
    for (const { addresses } of this.#stack.interfaces) {
      const found = addresses.find(path.source);
      if (found !== null) return found;
    }
    return null;
  }
}

/** `lookup` with its options left out, or a family in their place. */
export function readLookupArguments(
  options: unknown,
  callback: unknown,
): [LookupOptions, LookupCallback] {
  const last = typeof options === "function" ? options : callback;
  if (typeof last !== "function") {
    throw usageError("ERR_INVALID_ARG_TYPE", "The callback must be a function", TypeError);
  }
  const given = typeof options === "number" ? { family: options } : options;
  const read = typeof given === "object" && given !== null ? given : {};
  return [read as LookupOptions, last as LookupCallback];
}

function answer(
  error: SocketError | null,
  found: readonly string[],
  options: LookupOptions,
  callback: LookupCallback,
): void {
  if (error !== null) {
    callback(error, undefined as never);
    return;
  }
  const list = found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  if (options.all === true) {
    callback(null, list);
    return;
  }
  const [first] = list;
  // For no name at all, Node says null.
  if (first === undefined) callback(null, null as never, versionOf(options.family) || 4);
  else callback(null, first.address, first.family);
}

const canonical = (name: string): string => name.toLowerCase().replace(/\.$/, "");

function failure(hostname: string, cause: unknown): SocketError {
  const code =
    typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  if (typeof code !== "string" || code === "ENOTFOUND") return notFound(hostname, cause);
  return Object.assign(lookupError(code, hostname, cause), { hostname });
}
