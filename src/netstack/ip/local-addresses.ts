import type { AddressListener, InterfaceAddress } from "../address-table.ts";
import type { Cast } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import { type Ip, MAPPED } from "../ip-address.ts";

/** Bits of the filter before the addresses; a power of two. */
const FILTER_BITS = 1024;

/** The interfaces of a stack, and what is addressed to them. */
export class LocalAddresses implements AddressListener {
  readonly interfaces: Interface[] = [];
  /** The first one of that medium. */
  loopback: Interface | null = null;
  /** A bit for each address, by some of its own: most strangers are told apart without a search. */
  readonly #filter = new Int32Array(FILTER_BITS / 32);

  add(added: Interface): void {
    this.interfaces.push(added);
    this.loopback ??= added.device.medium === "loopback" ? added : null;
    added.addresses.watch(this);
    for (const address of added.addresses.all) this.onAddressAdded(address);
  }

  onAddressAdded({ ip }: InterfaceAddress): void {
    const bit = filterBit(ip.w0, ip.w1, ip.w3);
    this.#filter[bit >>> 5]! |= 1 << (bit & 31);
  }

  onAddressRemoved(): void {
    this.#filter.fill(0);
    for (const { addresses } of this.interfaces) {
      for (const address of addresses.all) this.onAddressAdded(address);
    }
  }

  remove(removed: Interface): void {
    const at = this.interfaces.indexOf(removed);
    if (at >= 0) this.interfaces.splice(at, 1);
    this.onAddressRemoved();
    if (this.loopback === removed) {
      this.loopback = this.interfaces.find(({ device }) => device.medium === "loopback") ?? null;
    }
  }

  isLocal(ip: Ip): boolean {
    return this.has(ip.w0, ip.w1, ip.w2, ip.w3) || (ip.isLoopback && this.loopback !== null);
  }

  /** Whether it means all hosts of a link that we are on. */
  isBroadcast(ip: Ip): boolean {
    if (ip.version !== 4) return false;
    return ip.isLimitedBroadcast || this.interfaces.some((one) => isDirectedBroadcast(one, ip.w3));
  }

  /** Whether an interface has the address, assigned. */
  has(w0: number, w1: number, w2: number, w3: number): boolean {
    const bit = filterBit(w0, w1, w3);
    if ((this.#filter[bit >>> 5]! & (1 << (bit & 31))) === 0) return false;
    const all = this.interfaces;
    for (let i = 0; i < all.length; i++) {
      const found = all[i]!.addresses.findWords(w0, w1, w2, w3);
      if (found?.assigned) return true;
    }
    return false;
  }

  /** The interface that has it, assigned, and the address there; `on`: only that one may. */
  owner(ip: Ip, on: Interface | null): Interface | null {
    if (on !== null) return on.addresses.find(ip)?.assigned ? on : null;
    for (const one of this.interfaces) if (one.addresses.find(ip)?.assigned) return one;
    return null;
  }

  address(ip: Ip): InterfaceAddress | null {
    for (const { addresses } of this.interfaces) {
      const found = addresses.find(ip);
      if (found?.assigned) return found;
    }
    return null;
  }

  /**
   * How an IPv4 packet that came in by `from` is meant for us; null: it is not.
   *
   * Hosts follow the strong model (RFC 1122 §3.3.4.2): an address answers on its own interface alone, so
   * that neighbours on one link cannot probe or reach what is on another. A forwarding interface takes
   * packets for any address of ours, since on a router the way to an address may lead through it. So
   * does loopback.
   */
  castIpv4(from: Interface, to: number): Cast | null {
    const own = from.addresses.findWords(0, 0, MAPPED, to);
    if (own?.assigned) return "unicast";
    if (to >>> 28 === 0xe) return from.groups.hasWords(0, 0, MAPPED, to) ? "multicast" : null;
    if (to === -1 || isDirectedBroadcast(from, to)) return "broadcast";
    if (from.device.medium === "loopback") {
      return to >>> 24 === 127 || this.has(0, 0, MAPPED, to) ? "unicast" : null;
    }
    return from.settings.forwarding && this.has(0, 0, MAPPED, to) ? "unicast" : null;
  }

  /** The same for IPv6. Link-local addresses never answer elsewhere (RFC 4007 §6). */
  castIpv6(from: Interface, w0: number, w1: number, w2: number, w3: number): Cast | null {
    const own = from.addresses.findWords(w0, w1, w2, w3);
    if (own?.assigned) return "unicast";
    if (w0 >>> 24 === 0xff) return from.groups.hasWords(w0, w1, w2, w3) ? "multicast" : null;
    if (from.device.medium === "loopback") return this.has(w0, w1, w2, w3) ? "unicast" : null;
    if (!from.settings.forwarding || w0 >>> 22 === 0x3fa) return null;
    return this.has(w0, w1, w2, w3) ? "unicast" : null;
  }
}

function filterBit(w0: number, w1: number, w3: number): number {
  const mixed = Math.imul(w3 ^ w1 ^ w0, 0x9e37_79b1);
  return mixed >>> 22;
}

/** Whether it is the last address of a prefix of that interface (RFC 922). */
export function isDirectedBroadcast(of: Interface, address: number): boolean {
  const { all } = of.addresses;
  for (let i = 0; i < all.length; i++) {
    const { ip, length } = all[i]!.prefix;
    // RFC 3021: prefixes of 31 bits have none.
    if (ip.version !== 4 || length > 30 || length === 0) continue;
    if ((ip.w3 | ((1 << (32 - length)) - 1)) === address) return true;
  }
  return false;
}
