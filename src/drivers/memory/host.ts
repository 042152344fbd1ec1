import {
  formatSocketAddress,
  type IpAddress,
  isIpv6,
  isLoopback,
  type SocketAddress,
} from "../../core/address.ts";
import { type ErrorCode, NetError } from "../../core/errors.ts";
import { below, type Rng } from "../../core/random.ts";
import type { MemoryListener } from "./listener.ts";

const FIRST_EPHEMERAL = 49_152; // RFC 6335 §6
const LAST_PORT = 65_535;

/** A machine of the network: its addresses and who listens on them. */
export class MemoryHost {
  readonly ips: readonly IpAddress[];
  readonly #listeners: MemoryListener[] = [];
  #lastPort = LAST_PORT;

  constructor(ips: readonly IpAddress[]) {
    this.ips = ips;
  }

  owns(ip: IpAddress): boolean {
    return isWildcard(ip) || isLoopback(ip) || this.ips.includes(ip);
  }

  /** The address to listen on, with its port. Throws EADDRNOTAVAIL and EADDRINUSE as a NetError. */
  reserve(
    address: SocketAddress,
    options: { readonly reusePort: boolean; readonly ipv6Only: boolean },
  ): SocketAddress {
    if (address.kind === "ip" && !this.owns(address.ip)) throw refused(address, "EADDRNOTAVAIL");
    if (address.kind === "ip" && address.port === 0) return { ...address, port: this.freePort() };
    for (const other of this.#listeners) {
      const shared = options.reusePort && other.reusePort;
      if (!shared && overlaps(address, options.ipv6Only, other)) {
        throw refused(address, "EADDRINUSE");
      }
    }
    return address;
  }

  add(listener: MemoryListener): void {
    this.#listeners.push(listener);
  }

  remove(listener: MemoryListener): void {
    const index = this.#listeners.indexOf(listener);
    if (index >= 0) this.#listeners.splice(index, 1);
  }

  /** Who takes a connection to `address`; of several, the exact ones first, then any of them. */
  find(address: SocketAddress, rng: Rng): MemoryListener | null {
    const able = this.#listeners.filter((listener) => takes(listener, address));
    const exact = able.filter(({ address: own }) => own.kind === "unix" || !isWildcard(own.ip));
    const best = exact.length > 0 ? exact : able;
    if (best.length < 2) return best[0] ?? null;
    return best[below(rng, best.length)]!;
  }

  /** A port that nobody listens on. */
  freePort(): number {
    for (;;) {
      this.#lastPort = this.#lastPort === LAST_PORT ? FIRST_EPHEMERAL : this.#lastPort + 1;
      const port = this.#lastPort;
      const taken = this.#listeners.some(
        ({ address }) => address.kind === "ip" && address.port === port,
      );
      if (!taken) return port;
    }
  }
}

const isWildcard = (ip: IpAddress): boolean => ip === "0.0.0.0" || ip === "::";

/** Whether the listener's address covers this one. */
function takes(listener: MemoryListener, to: SocketAddress): boolean {
  const own = listener.address;
  if (own.kind === "unix") return to.kind === "unix" && own.path === to.path;
  if (to.kind === "unix" || own.port !== to.port) return false;
  if (own.ip === to.ip) return true;
  if (own.ip === "0.0.0.0") return !isIpv6(to.ip);
  return own.ip === "::" && (isIpv6(to.ip) || !listener.ipv6Only);
}

function overlaps(address: SocketAddress, ipv6Only: boolean, other: MemoryListener): boolean {
  if (takes(other, address)) return true;
  const own = other.address;
  if (own.kind === "unix" || address.kind === "unix" || own.port !== address.port) return false;
  if (address.ip === "0.0.0.0") return !isIpv6(own.ip) || (own.ip === "::" && !other.ipv6Only);
  return address.ip === "::" && (isIpv6(own.ip) || !ipv6Only);
}

const refused = (address: SocketAddress, code: ErrorCode): NetError =>
  new NetError(code, `listen ${formatSocketAddress(address)}: ${code}`, { source: "internal" });
