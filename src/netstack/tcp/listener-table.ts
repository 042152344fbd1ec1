import type { Inbound } from "../inbound.ts";
import type { Ip } from "../ip-address.ts";
import type { TcpListener } from "./listener.ts";

/** How well a listener's address fits: none, both families' wildcard, its family's, exactly. */
type Fit = 0 | 1 | 2 | 3;

/** Listeners by port. Several may share one: by address, by family, or all alike with `reusePort`. */
export class ListenerTable {
  readonly #byPort = new Map<number, TcpListener[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(listener: TcpListener): void {
    const there = this.#byPort.get(listener.port);
    if (there === undefined) this.#byPort.set(listener.port, [listener]);
    else there.push(listener);
    this.#size++;
  }

  remove(listener: TcpListener): void {
    const there = this.#byPort.get(listener.port);
    const at = there?.indexOf(listener) ?? -1;
    if (there === undefined || at < 0) return;
    there.splice(at, 1);
    this.#size--;
    if (there.length === 0) this.#byPort.delete(listener.port);
  }

  has(port: number): boolean {
    return this.#byPort.has(port);
  }

  /** Whether an address is taken: the rules of Linux's bind, with SO_REUSEADDR set. */
  conflicts(ip: Ip, port: number, ipv6Only: boolean, reusePort: boolean): boolean {
    const there = this.#byPort.get(port);
    if (there === undefined) return false;
    for (const other of there) {
      if (reusePort && other.reusePort) continue;
      if (overlap(ip, ipv6Only, other)) return true;
    }
    return false;
  }

  /** Who takes the packet; of several alike the one that `hash` chooses, the same for a whole flow. */
  find(inbound: Inbound, port: number, hash: number): TcpListener | null {
    const there = this.#byPort.get(port);
    if (there === undefined) return null;
    let best: Fit = 0;
    let count = 0;
    for (let i = 0; i < there.length; i++) {
      const fit = fitOf(there[i]!, inbound);
      if (fit < best || fit === 0) continue;
      count = fit > best ? 1 : count + 1;
      best = fit;
    }
    if (best === 0) return null;
    let skip = (hash >>> 0) % count;
    for (let i = 0; i < there.length; i++) {
      if (fitOf(there[i]!, inbound) === best && skip-- === 0) return there[i]!;
    }
    return null;
  }

  all(): TcpListener[] {
    return [...this.#byPort.values()].flat();
  }
}

function fitOf(listener: TcpListener, inbound: Inbound): Fit {
  const { ip } = listener;
  if (!ip.isUnspecified) return inbound.isTo(ip) ? 3 : 0;
  if (ip.version === inbound.version) return 2;
  return ip.version === 6 && !listener.ipv6Only ? 1 : 0;
}

function overlap(ip: Ip, ipv6Only: boolean, other: TcpListener): boolean {
  const wild = ip.isUnspecified;
  const otherWild = other.ip.isUnspecified;
  if (!wild && !otherWild) return ip.equals(other.ip);
  if (ip.version === other.ip.version) return true;
  // Of two families: a wildcard of IPv6 takes IPv4, too, unless it says otherwise (RFC 3493 §5.3).
  if (wild && ip.version === 6) return !ipv6Only;
  return otherWild && other.ip.version === 6 && !other.ipv6Only;
}
